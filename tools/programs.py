"""Build the programs into chain/programs, or check (with Python alone) that what is there was built from these sources.

`python tools/programs.py` builds with Anchor's tools where they are, else with the kit that `SBF_KIT` names (default: ../shared/sbf beside
the repository). `--check` compares hashes; a changed source without a new build is an error. `--verify` builds again and
compares as well, which takes some minutes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "programs"
BUILT = ROOT / "chain" / "programs"
HASHES = BUILT / "hashes.json"
# Programs that others call come last: building a caller overwrites them with a copy that has no entrypoint.
PROGRAMS = ("governance", "liquidation", "jit", "risk", "perp_dex", "oracle")
SUFFIXES = {".rs", ".toml", ".lock"}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def source_files() -> list[Path]:
    """Return what a build depends on: code, manifests and the lock; tests and examples of the crates are left out."""
    apart = {"target", "tests", "examples"}
    found = (path for path in SOURCES.rglob("*") if path.suffix in SUFFIXES)
    return sorted(path for path in found if not apart & set(path.relative_to(SOURCES).parts))


def source_hash() -> str:
    """Hash every source with its place, so that a moved or removed file shows too."""
    digest = hashlib.sha256()
    for path in source_files():
        digest.update(f"{path.relative_to(SOURCES).as_posix()} {sha256(path)}\n".encode())
    return digest.hexdigest()


def built_files() -> list[Path]:
    return sorted(path for path in BUILT.iterdir() if path.suffix in {".so", ".json"} and path != HASHES)


def built_hashes() -> dict[str, str]:
    return {path.name: sha256(path) for path in built_files()}


def problems() -> list[str]:
    """Say what differs between the sources, the built files and what their hashes promise."""
    promised = json.loads(HASHES.read_text())
    found = built_hashes()
    wrong = [f"{name}: not the file that was built" for name in sorted(promised["built"]) if found.get(name) != promised["built"][name]]
    wrong += [f"{name}: not named in {HASHES.name}" for name in sorted(set(found) - set(promised["built"]))]
    if promised["sources"] != source_hash():
        wrong.append("programs/: sources changed since the last build; run `make programs`")
    return wrong


def build(into: Path) -> None:
    into.mkdir(exist_ok=True)
    if shutil.which("anchor"):
        build_with_anchor(into)
    else:
        build_with_kit(kit(), into)


def kit() -> Path:
    return Path(os.environ.get("SBF_KIT", ROOT.parent / "shared" / "sbf"))


def build_with_anchor(into: Path) -> None:
    subprocess.run(["anchor", "build"], cwd=SOURCES, check=True)
    for name in PROGRAMS:
        shutil.copyfile(SOURCES / "target" / "deploy" / f"{name}.so", into / f"{name}.so")
        idl = SOURCES / "target" / "idl" / f"{name}.json"
        shutil.copyfile(idl, into / f"{name}.json")
        subprocess.run(["anchor", "idl", "convert", "--to-legacy", str(idl), "-o", str(into / f"{name}.legacy.json")], check=True)


def build_with_kit(kit: Path, into: Path) -> None:
    if not (kit / "cargo-sbf").exists():
        raise SystemExit(f"neither anchor nor the kit at {kit} is here; set SBF_KIT")
    for name in PROGRAMS:
        # cargo links again only what changed, and the program before may have overwritten this one.
        (SOURCES / "programs" / name / "src" / "lib.rs").touch()
        subprocess.run([kit / "cargo-sbf", "-p", name, "--locked"], cwd=SOURCES, check=True)
        shutil.copyfile(SOURCES / "target" / "deploy" / f"{name}.so", into / f"{name}.so")
    # The IDLs are made by the host's compiler, in a folder of the kit's own.
    environment = {key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"}
    for name in PROGRAMS:
        command: list[str | Path] = [kit / "build-idl", SOURCES / "programs" / name]
        idl = subprocess.run(command, cwd=SOURCES, check=True, env=environment, capture_output=True, text=True)
        (into / f"{name}.json").write_text(idl.stdout)
        convert: list[str | Path] = [sys.executable, kit / "idl" / "to_legacy.py", into / f"{name}.json"]
        (into / f"{name}.legacy.json").write_text(subprocess.run(convert, check=True, capture_output=True, text=True).stdout)


def differences() -> list[str]:
    """Build everything again beside what is there, and name the programs and IDLs that came out otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        again = {path.name: sha256(path) for path in Path(folder).iterdir()}
    return [f"{name}: another build gives another file" for name, promised in built_hashes().items() if again.get(name) != promised]


def write_hashes() -> None:
    HASHES.write_text(json.dumps({"sources": source_hash(), "built": built_hashes()}, indent=2) + "\n")


def main() -> None:
    match sys.argv[1:]:
        case []:
            build(BUILT)
            write_hashes()
        case ["--check"]:
            end(problems())
        case ["--verify"]:
            end(problems() or differences())
        case _:
            raise SystemExit(__doc__)


def end(wrong: list[str]) -> None:
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
