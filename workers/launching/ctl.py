"""`supervisorctl` for the installation of this checkout: status, restart app:stream, tail, …"""

import os
import sys
from pathlib import Path

from copytrade.engines import run_folder
from copytrade.settings import ROOT

if __name__ == "__main__":
    run = run_folder(Path(os.environ.get("COPYTRADE_VAR", "") or ROOT / "var").resolve())
    os.chdir(run)  # away from supervisord.conf, which needs the launcher's variables
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-s", f"unix://{run}/supervisor.sock"]
    os.execv(sys.executable, [*command, *sys.argv[1:]])  # noqa: S606
