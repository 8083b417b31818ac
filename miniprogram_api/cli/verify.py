"""验真 (verify): `shukun verify FILE.pdf`: whether a sealed letter is as it was signed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from asn1crypto import pem, x509

from backend.kernel.settings import Settings
from backend.letters.verification import NotALetter, verify

LARGEST: Final = 64 * 1024 * 1024
FINDINGS: Final = 1
"""Exit status: the file is not genuine."""


@click.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="您信任的根证书（PEM，可以有几张）；不写的，用本机数据文件夹里的那一张。",
)
def verify_letter(file: Path, trust: Path | None) -> int:
    """检查签过名、盖过电子印章的承诺书：改一个字节都查得出来。

    退出状态：0 是真的，没有改过；1 改过，或者印章不可信；2 不能检查。
    """
    trusted = _certificates(trust or _own())
    if file.stat().st_size > LARGEST:
        raise click.ClickException("文件太大，不会是承诺书：请核对选的是不是原件。")
    try:
        verdict = verify(file.read_bytes(), trusted)
    except NotALetter as error:
        raise click.ClickException(str(error)) from error
    for one in verdict.findings:
        click.echo(f"{'✓' if one.right else '✗'} {one.said}")
    if not verdict.genuine:
        click.echo("结论：不能当真。请向经办机构要原件，或扫文书上的二维码核对。")
        return FINDINGS
    click.echo(f"  手写签名 sha256 {verdict.drawn}")
    click.echo(f"  证据包 sha256 {verdict.proof}")
    click.echo("结论：是真的，签名以后没有改过。")
    return 0


def _own() -> Path:
    found = Settings.from_env(os.environ).seal_folder / "ca.pem"
    if not found.is_file():
        raise click.ClickException(
            f"本机没有根证书（{found}）：请用 --trust 写明您信任的根证书文件。"
        )
    return found


def _certificates(path: Path) -> list[x509.Certificate]:
    data = path.read_bytes()
    try:
        found = [der for kind, _, der in pem.unarmor(data, multiple=True) if kind == "CERTIFICATE"]
        certificates = [x509.Certificate.load(der) for der in found]
        _ = [one.subject for one in certificates]
    except ValueError as error:
        raise click.ClickException(f"{path} 不是 PEM 格式的证书：请换一个文件。") from error
    if not certificates:
        raise click.ClickException(f"{path} 里没有证书：请换一个文件。")
    return certificates
