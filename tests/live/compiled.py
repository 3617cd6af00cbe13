# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests have in C, compiled into the build directory when it is not there or older than its source."""
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
BUILD = (SOURCE / os.environ.get('BUILD', 'build')).resolve()


def _compiled(source, name, *options):
    source, result = Path(__file__).with_name(source), BUILD / 'tests' / 'live' / name
    if not result.exists() or result.stat().st_mtime < source.stat().st_mtime:
        result.parent.mkdir(parents=True, exist_ok=True)
        beside = result.with_suffix(f'.{os.getpid()}')  # several processes may do this at once
        subprocess.run([os.environ.get('CC', 'cc'), '-D_GNU_SOURCE', '-Wall', '-Wextra', '-O1', '-o', str(beside), str(source), *options],
                       check=True)
        beside.rename(result)
    return result


def compiled_library(name):
    """The path of NAME.so, to be preloaded, from NAME.c in this directory."""
    return _compiled(f'{name}.c', f'{name}.so', '-fPIC', '-shared', '-ldl')


def compiled_program(name, *libraries):
    """The path of the program NAME from NAME.c in this directory, linked with such as '-lsystemd'."""
    return _compiled(f'{name}.c', name, *libraries)
