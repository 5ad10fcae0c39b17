# Shortcuts for developers; bin/run and bin/test need nothing of this.
PYTHON := .venv/bin/python
# Settings as in production, so that Django's deployment checks see what production sees. The addresses are not used.
PRODUCTION := ENVIRONMENT=production SECRET_KEY=not-a-secret-just-0123456789-long-and-varied-enough-for-checks \
	DATABASE_URL=postgresql://app@localhost/quantdesk REDIS_URL=redis://localhost ALLOWED_HOSTS=desk.example.org

.PHONY: check test nightly replays bench bench-peers dev compile setup programs

setup:
	@sh bin/setup dev

check: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	.venv/bin/lint-imports
	$(PYTHON) tools/vendor.py --check
	$(PYTHON) tools/programs.py --check
	$(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PYTHON) -W error manage.py check --deploy --fail-level WARNING

test:
	sh bin/test

nightly: setup
	sh bin/test --nightly
	if command -v cargo >/dev/null; then cd programs && cargo test --locked -p fixed-point -p margin -p order -p merkle; fi
	if test -x $${SBF_KIT:-../shared/sbf}/cargo-sbf; then $(PYTHON) tools/programs.py --verify; fi
	$(PYTHON) tools/mutation.py

replays: setup
	$(PYTHON) -m tests.replays

bench: setup
	$(PYTHON) -m bench

bench-peers:
	sh bench/peers/run

dev: setup
	DEBUG=true $(PYTHON) manage.py desk

compile: setup
	$(PYTHON) tools/compile.py

# The crates' own tests, then chain/programs again: with Anchor's tools, else with the kit that SBF_KIT names.
programs: setup
	cd programs && cargo test --locked -p fixed-point -p margin -p order -p merkle
	$(PYTHON) tools/programs.py
