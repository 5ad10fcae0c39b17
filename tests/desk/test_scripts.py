"""bin/setup, bin/run and bin/test as a new user meets them: on machines that lack something. Stand-ins play what is slow to fetch."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.env import BASE_DIR

TOOLS = ("sh", "dirname", "cat", "cksum", "df", "awk", "mkdir", "rmdir", "rm", "id", "env", "chmod", "cp")
NEW_PYTHON = "#!/bin/sh\nexit 0\n"
MAKES_VENV = """#!/bin/sh
case "$*" in
    *"-m venv"*) mkdir -p .venv/bin; cp "$0.inner" .venv/bin/python ;;
    *--version*) echo Python 3.12 ;;
esac
"""
STAMPED = {"requirements.txt": ["requirements.txt"], "requirements-dev.txt": ["requirements.txt", "requirements-dev.txt"]}


class Checkout:
    """The scripts in a folder of their own, and a PATH that holds a few tools only."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.tools = folder / "tools"
        shutil.copytree(BASE_DIR / "bin", self.root / "bin")
        for name in ("requirements.txt", "requirements-dev.txt"):
            shutil.copy(BASE_DIR / name, self.root)
        self.tools.mkdir()
        for name in TOOLS:
            found = shutil.which(name)
            assert found, name
            (self.tools / name).symlink_to(found)

    def tool(self, name: str, script: str) -> None:
        self.write(self.tools / name, script)

    def write(self, path: Path, script: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def installed(self, python: str) -> None:
        """Play a finished set-up, with `python` as the environment's interpreter."""
        self.write(self.root / ".venv" / "bin" / "python", python)
        for name, files in (
            ("requirements.txt", ["requirements.txt"]),
            ("requirements-dev.txt", ["requirements.txt", "requirements-dev.txt"]),
        ):
            content = b"".join((self.root / file).read_bytes() for file in files)
            stamp = subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout
            (self.root / ".venv" / f"{name}.stamp").write_bytes(stamp)

    def run(self, script: str, *arguments: str, user: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script from another folder, so that none depends on where it is called."""
        command = [str(self.tools / "sh"), str(self.root / "bin" / script), *arguments]
        variables = {"PATH": str(self.tools)} | environment
        return subprocess.run(command, cwd="/", env=variables, capture_output=True, text=True, check=False, user=user)


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    folder = Path(tempfile.mkdtemp(prefix="quantdesk-scripts-"))
    folder.chmod(0o755)
    yield Checkout(folder)
    for path in (folder / "project", folder):
        path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a script ended with."""
    assert result.returncode == 1, result
    last = result.stderr.splitlines()[-1]
    assert last.startswith("quantdesk: ")
    return last


def test_it_asks_for_a_newer_python(checkout: Checkout) -> None:
    checkout.tool("python3", "#!/bin/sh\nexit 1\n")
    result = checkout.run("run")
    assert "no Python 3.11 or newer found" in refusal(result)
    assert result.stderr.count("\n") == 1


def test_it_prefers_a_python_that_works(checkout: Checkout) -> None:
    checkout.tool("python3.13", "#!/bin/sh\nexit 127\n")  # a version manager's stand-in for what is not installed
    checkout.tool("python3.11", '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; *version_info\\[*) echo python3.11-venv ;; esac\n')
    assert "python3.11 has no venv module" in refusal(checkout.run("run"))


def test_it_names_the_package_of_a_missing_venv_module(checkout: Checkout) -> None:
    checkout.tool("python3", '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; *-venv*) echo python3.12-venv ;; esac\n')
    result = checkout.run("run")
    assert refusal(result).endswith("install it (Debian: apt-get install python3.12-venv)")
    assert result.stderr.count("\n") == 1


def test_it_says_that_its_folder_cannot_be_written_to(checkout: Checkout) -> None:
    checkout.tool("python3", NEW_PYTHON)
    checkout.root.chmod(0o555)
    # Root can write anywhere, so it tries as somebody else.
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    result = checkout.run("run", user=user)
    assert refusal(result).startswith(f"quantdesk: cannot write to {checkout.root}; ")
    assert result.stderr.count("\n") == 1


def test_it_says_that_the_disk_is_full(checkout: Checkout) -> None:
    checkout.tool("python3", NEW_PYTHON)
    checkout.tool("df", "#!/bin/sh\necho Filesystem\necho disk 100 60 12000 60% /\n")
    message = refusal(checkout.run("run"))
    assert message == f"quantdesk: not enough disk space in {checkout.root}: 12 MB free, 1500 MB needed"


def test_it_says_that_packages_could_not_be_installed(checkout: Checkout) -> None:
    failing = "#!/bin/sh\ncase \"$*\" in *pip*install*) echo 'no network' >&2; exit 1 ;; esac\n"
    checkout.tool("python3", MAKES_VENV)
    checkout.tool("python3.inner", failing)
    result = checkout.run("run")
    assert "no network" in result.stderr
    assert refusal(result).startswith("quantdesk: could not install requirements.txt")
    assert not (checkout.root / ".venv" / "requirements.txt.stamp").exists()


def test_it_sets_up_once(checkout: Checkout) -> None:
    checkout.tool("python3", MAKES_VENV)
    checkout.tool("python3.inner", '#!/bin/sh\necho "python $*"\n')
    first, second = checkout.run("run"), checkout.run("run")
    assert "pip install" in first.stdout
    assert second.stdout == "python manage.py desk\n"
    checkout.write(checkout.root / "requirements.txt", "django\n")
    assert "pip install" in checkout.run("run").stdout


def test_it_hands_its_options_on_to_the_desk(checkout: Checkout) -> None:
    checkout.installed('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    result = checkout.run("run", "--port", "9000", "--feed", "sim", "--reset")
    assert result.stdout.split() == ["manage.py", "desk", "--port", "9000", "--feed", "sim", "--reset"]


def test_it_runs_the_tests_with_the_first_chromium(checkout: Checkout) -> None:
    checkout.installed('#!/bin/sh\n[ "$2" = pytest ] && printf "%s\\n" "$CHROMIUM" "$@"\nexit 0\n')
    checkout.tool("google-chrome", "#!/bin/sh\nexit 0\n")
    checkout.tool("chromium", "#!/bin/sh\nexit 1\n")
    chosen, *arguments = checkout.run("test", "-k", "engine").stdout.splitlines()
    assert (chosen, arguments[:2], arguments[-2:]) == (str(checkout.tools / "google-chrome"), ["-m", "pytest"], ["-k", "engine"])
    checkout.tool("mine", "#!/bin/sh\nexit 0\n")
    assert checkout.run("test", CHROMIUM=str(checkout.tools / "mine")).stdout.splitlines()[0] == str(checkout.tools / "mine")


def test_it_takes_playwrights_own_chromium_and_else_fetches_it(checkout: Checkout) -> None:
    own = checkout.tools.parent / "playwright" / "chrome"
    fetch = f'mkdir -p "{own.parent}"; cp "{checkout.tools}/fetched" "{own}"'
    checkout.tool("fetched", "#!/bin/sh\nexit 0\n")
    python = f'#!/bin/sh\ncase "$*" in *sync_playwright*) echo "{own}" ;; *install*) {fetch} ;; *pytest*) echo "$CHROMIUM" ;; esac\n'
    checkout.installed(python)
    first, second = checkout.run("test"), checkout.run("test")
    assert first.stdout.split()[-1] == second.stdout.split()[-1] == str(own)
    assert "fetching one" in first.stderr
    assert second.stderr == ""


def test_it_fails_clearly_without_a_chromium(checkout: Checkout) -> None:
    checkout.installed('#!/bin/sh\n[ "$2" != playwright ]\n')
    result = checkout.run("test")
    assert "no Chromium can be found or fetched" in refusal(result)
    assert "--no-browser" in refusal(result)


def test_it_fails_clearly_on_a_chromium_that_does_not_run(checkout: Checkout) -> None:
    checkout.installed(NEW_PYTHON)
    assert refusal(checkout.run("test", CHROMIUM="/nowhere/chrome")).startswith(
        "quantdesk: CHROMIUM is /nowhere/chrome, which does not run"
    )


def test_it_leaves_the_browser_tests_out_when_told(checkout: Checkout) -> None:
    checkout.installed('#!/bin/sh\n[ "$2" = pytest ] && printf "%s\\n" "$@"\n')
    assert checkout.run("test", "--no-browser", "-x").stdout.split()[-2:] == ["--no-browser", "-x"]
