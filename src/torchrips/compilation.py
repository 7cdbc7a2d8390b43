# numba's functions are partly typed.
# mypy: disable-error-code="no-untyped-call"
"""Compiled functions, kept on disk in a cache that many processes may fill and read at once.

numba compiles a function at its first use, for each kind of arguments, and can keep the result. Its cache
fails in three places that are common: when several processes fill it at once (jobs of a cluster that start
together), when the disk or a quota is full, and when the package's folder was filled at installation and is
read-only since (an image of a container). Here a failure to write costs time and raises no error, and the
package's folder is read whether or not it can be written.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, NullCache
from numba.extending import overload
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function, **options: Any) -> Function:
    """Compile at first use, keep the result on disk, release the GIL.

    Args:
        function: what to compile.
        options: of ``numba.njit``.

    """
    dispatcher = njit(nogil=True, **options)(function)
    dispatcher._cache = _cache_of(function)
    return dispatcher  # type: ignore[no-any-return]


def bits(values: NDArray[Any]) -> NDArray[Any]:
    """Bits of floats as whole numbers that share their memory; in compiled code only."""
    raise NotImplementedError


@overload(bits, strict=False)  # strict: the type hints would have to be the same
def _bits(values: Any) -> Callable[[Any], Any]:
    unsigned = {32: np.uint32, 64: np.uint64}[values.dtype.bitwidth]
    return lambda values: values.view(unsigned)


class _Files(IndexDataCacheFile):
    """An index of results and their files, which have names that are used only once.

    numba numbers the files and writes the index first. Two processes that save results of different arguments
    at once may so give both the same number, and one of them is loaded in place of the other for good. With
    names that are used once, the worst case is a result that is missing in the index and compiled again.
    """

    def save(self, key: Any, data: Any) -> None:
        name = self._load_index().get(key) or self._index_name.replace(".nbi", f".{uuid4().hex}.nbc")
        self._save_data(name, data)
        self._save_index(self._load_index() | {key: name})

    def _load_index(self) -> dict[Any, str]:
        try:
            return super()._load_index()  # type: ignore[no-any-return]
        except Exception:  # unreadable or cut short: as good as empty
            return {}


class _Kept(FunctionCache):
    """Results in the first folder that can be written."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _Files(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _warn(str(error))


# A name that changes between versions of numba.
_InTree: Any = next(kind for kind in CompileResultCacheImpl._locator_classes if "InTree" in kind.__name__)


class _Folder(_InTree):  # type: ignore[misc]
    def ensure_cache_path(self) -> None:
        """Nothing: the folder need not be writable, nor exist."""


class _InFolder(CompileResultCacheImpl):
    _locator_classes: Any = (_Folder,)


class _Installed(_Kept):
    """Results in the folder of the package."""

    _impl_class: Any = _InFolder


class _Cache(_Kept):
    """Results in the first folder that can be written, and those in the folder of the package."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._installed = _Installed(function)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        return self._installed.load_overload(sig, target_context) if found is None else found


def _cache_of(function: Callable[..., Any]) -> Any:
    for kind in (_Cache, _Installed):
        try:
            return kind(function)
        except RuntimeError:  # no such folder
            continue
    return NullCache()


@cache
def _warn(error: str) -> None:
    warnings.warn(
        f"compiled code cannot be kept ({error}), so each process compiles it again, which takes about 15 s; "
        "set NUMBA_CACHE_DIR to a folder that can be written",
        stacklevel=2,
    )
