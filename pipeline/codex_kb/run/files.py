"""Where workers find files themselves: a folder that machines share, or an object store."""

from __future__ import annotations

from collections.abc import Callable

from codex_kb.errors import RefusedFile


def reader(base: str) -> Callable[[str], bytes]:
    """What gives the bytes of a file below a folder or an fsspec URL, by its path there.

    It raises RefusedFile where the file, or what reads such an address, is not there.
    """

    def read(path: str) -> bytes:
        import fsspec  # noqa: PLC0415

        try:
            system, folder = fsspec.core.url_to_fs(base)
            return bytes(system.cat_file(f"{folder.rstrip('/')}/{path}"))
        except Exception as error:  # each kind of store raises its own
            why = f"{type(error).__name__}: {error}"
            raise RefusedFile(f"a worker cannot read it at {base}: {why[:200]}", path=path,
                              hint="mend [run] files, or leave it out: sources are then sent") from error  # fmt: skip

    return read
