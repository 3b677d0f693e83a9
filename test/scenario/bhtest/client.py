# SPDX-License-Identifier: BSD-3-Clause
"""libbulkhead from Python: a reader of the real core, through the library as it is installed."""
import ctypes
import errno
import os

from bhtest.router import build_tree

SERVICE_INFOBASE = 1


class OpenArgs(ctypes.Structure):
    """struct bh_open_args."""
    _fields_ = [("client", ctypes.c_char_p), ("service", ctypes.c_uint16),
                ("role_fd", ctypes.c_int), ("socket", ctypes.c_char_p)]


def library():
    """The shared library of the build tree, with the types of what is used."""
    lib = ctypes.CDLL(os.path.join(build_tree(), "lib/client/libbulkhead.so.0"), use_errno=True)
    lib.bh_open.restype = ctypes.c_void_p
    lib.bh_open.argtypes = [ctypes.POINTER(OpenArgs)]
    lib.bh_close.argtypes = [ctypes.c_void_p]
    lib.bh_schema_find.argtypes = [ctypes.c_char_p]
    lib.bh_get.argtypes = [ctypes.c_void_p, ctypes.c_uint16, ctypes.c_char_p, ctypes.c_void_p,
                           ctypes.POINTER(ctypes.c_size_t)]
    lib.bh_add.argtypes = [ctypes.c_void_p, ctypes.c_uint16, ctypes.c_char_p, ctypes.c_char_p,
                           ctypes.c_size_t, ctypes.c_void_p]
    return lib


class Client:
    """A connection by the listening socket."""

    def __init__(self, socket, name="scenario"):
        self.lib = library()
        args = OpenArgs(name.encode(), SERVICE_INFOBASE, -1, socket.encode())
        self.handle = self.lib.bh_open(ctypes.byref(args))
        if not self.handle:
            raise OSError(ctypes.get_errno(), "bh_open")

    def table(self, name):
        """The id of a table."""
        return self.lib.bh_schema_find(name.encode())

    def get(self, table, key):
        """The value of a record, or None if there is none."""
        value, size = ctypes.create_string_buffer(1024), ctypes.c_size_t(1024)
        code = self.lib.bh_get(self.handle, self.table(table), key, value, ctypes.byref(size))
        if code == -errno.ENOENT:
            return None
        if code:
            raise OSError(-code, f"get {table}")
        return value.raw[:size.value]

    def add(self, table, key, value):
        """The answer to an add: 0 or -errno."""
        return self.lib.bh_add(self.handle, self.table(table), key, value, len(value), None)

    def close(self):
        """End the connection."""
        self.lib.bh_close(self.handle)
