# SPDX-License-Identifier: MIT
"""Fixtures of the examples' tests. The programs lie in PARTYLINE_EXAMPLES, by default examples/ in the
build directory of PARTYLINE_BIN."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from program import HERE, Program, examples_directory, python


@pytest.fixture
def run():
    """Starts programs: run("c", "echo_server", ...) an example, run("python", ...) its seed,
    run(program, ...) any other."""
    started = []

    def start(language, name, *args, **settings):
        if language == "python":
            command = python(HERE / "seeds" / f"{name}.py", *args)
        elif language == "c":
            command = [examples_directory() / name, *args]
        else:
            command = [language, name, *args]
        program = Program(*command, **settings)
        started.append(program)
        return program

    yield start
    errors = []
    for program in reversed(started):
        try:
            program.finish()
        except AssertionError as error:  # the others must be ended all the same
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(certificate, key): PEM files for localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths
