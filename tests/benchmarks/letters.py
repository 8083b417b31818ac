"""A commitment letter rendered, sealed and verified, beside others' programs on the same bytes.

`python -m tests.benchmarks letters [RUNS]` (default 15). Sealing: beside pyHanko alone, which signs
the same PDF with the same key, without picture and timestamp. Verifying: beside `pdfsig`, a process.
"""

from __future__ import annotations

import io
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from backend.kernel import clock
from backend.letters.rendering import render
from backend.letters.seal_keys import SealKeys
from backend.letters.sealing import FIELD, OwnSeal, _signer
from backend.letters.signing_provider import ToSeal
from backend.letters.verification import verify
from tests.benchmarks.report import Pair, in_turn, machine, seconds
from tests.support.letters import content, drawing, seal_keys, trusted

RUNS: Final = 15


def main(arguments: list[str]) -> None:
    """Prints milliseconds of each and the ratios to the peers."""
    runs = int(arguments[0]) if arguments else RUNS
    print(machine())
    render(content())
    took = [seconds(lambda: render(content())) for _ in range(runs)]
    print(f"render: {statistics.median(took) * 1_000:.1f} ms")
    with tempfile.TemporaryDirectory() as name:
        _measure(Path(name), runs)


def _measure(folder: Path, runs: int) -> None:
    keys, shown = seal_keys(folder), render(content()).pdf
    own = OwnSeal(keys, clock.now)
    to_seal = ToSeal(shown, drawing(), b"\x01" * 32, b"\x02" * 32)
    _say("seal", "pyHanko alone", in_turn(
        lambda: own.seal(to_seal), lambda: _signed_alone(shown, keys), runs
    ))  # fmt: skip
    letter = own.seal(to_seal).pdf
    file, known = folder / "letter.pdf", trusted(keys)
    file.write_bytes(letter)
    if not verify(letter, known).genuine:
        raise SystemExit("the letter is not genuine")
    if shutil.which("pdfsig") is None:
        raise SystemExit("pdfsig is missing: install poppler-utils")
    _say("verify", "pdfsig", in_turn(
        lambda: verify(letter, known),
        lambda: subprocess.run(("pdfsig", "-nocert", file), check=True, capture_output=True),
        runs,
    ))  # fmt: skip


def _signed_alone(shown: bytes, keys: SealKeys) -> None:
    told = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    signers.PdfSigner(told, signer=_signer(keys)).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(shown))
    )


def _say(what: str, peer: str, pair: Pair) -> None:
    ours, theirs = (statistics.median(one) * 1_000 for one in (pair.ours, pair.peer))
    print(f"{what}: {ours:.1f} ms, {peer} {theirs:.1f} ms, ratio {pair.ratio:.2f} ({pair.spread})")
