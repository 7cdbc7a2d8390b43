"""A headless Chromium, spoken to in its DevTools protocol over a pipe: no driver, no further package."""

import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path


def chromium():
    """Path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page in a Chromium of its own, without network; what goes wrong in it is in ``faults``.

    Attributes:
        faults: errors of the console, exceptions, and failed loads.
        requests: addresses that the page and its frames asked for, but ``data:`` and ``blob:``.

    """

    def __init__(self, program, profile, size=(1600, 1000)):
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        command = [
            program,
            "--headless=new",
            "--no-sandbox",  # tests run as root in containers
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}",
        ]
        # The browser reads commands from descriptor 3 and answers on 4.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{high[0]} 4>&{high[1]}', "bash", *command],
            pass_fds=high,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for end in high:
            os.close(end)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.last_id = b"", 0
        self.faults, self.requests, self.loaded = [], [], False
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._listen(self.session)

    def _listen(self, session):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._post(f"{domain}.enable", session)
        follow = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True}
        self._post("Target.setAutoAttach", session, **follow)  # a frame may be a process of its own

    def _post(self, method, session=None, **parameters):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        return self.last_id

    def _receive(self):
        while b"\0" not in self.buffer:
            chunk = os.read(self.read_end, 1 << 20)
            if not chunk:
                raise RuntimeError("Chromium has ended")
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, event):
        if method == "Target.attachedToTarget" and event["sessionId"] != getattr(self, "session", None):
            self._listen(event["sessionId"])
        elif method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            self.faults.append(str(event["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "assert"):
            self.faults.append(" ".join(str(part.get("value", part)) for part in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] == "error":
            self.faults.append(f"{event['entry']['text']} ({event['entry'].get('url')})")
        elif method == "Network.loadingFailed":
            self.faults.append(event["errorText"])
        elif method == "Network.requestWillBeSent":
            address = event["request"]["url"]
            if not address.startswith(("data:", "blob:")):
                self.requests.append(address)

    def send(self, method, session=None, **parameters):
        """Send a command and wait for its answer."""
        number = self._post(method, session, **parameters)
        while (message := self._receive()).get("id") != number:
            pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"]

    def open(self, file):
        """Load a file and wait until it has loaded."""
        self.loaded = False
        self.send("Page.navigate", self.session, url=Path(file).resolve().as_uri())
        while not self.loaded:
            self._receive()

    def evaluate(self, expression):
        """Value of a JavaScript expression in the page; a promise is waited for."""
        answer = self.send(
            "Runtime.evaluate",
            self.session,
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_for(self, expression, seconds=20):
        """Wait until a JavaScript expression is true, and return its value."""
        end = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            if time.monotonic() > end:
                raise TimeoutError(expression)
            time.sleep(0.05)
        return value

    def frame_text(self, start, seconds=20):
        """Text in the first frame whose address begins so, once it has some."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            tree = self.send("Page.getFrameTree", self.session)["frameTree"]
            frames = [child["frame"] for child in tree.get("childFrames", [])]
            for frame in (frame for frame in frames if frame["url"].startswith(start)):
                world = self.send("Page.createIsolatedWorld", self.session, frameId=frame["id"])
                answer = self.send(
                    "Runtime.evaluate",
                    self.session,
                    contextId=world["executionContextId"],
                    expression="document.readyState === 'complete' ? document.body.innerText : ''",
                    returnByValue=True,
                )
                if text := answer["result"].get("value"):
                    return text
            time.sleep(0.1)
        raise TimeoutError(f"no frame {start} with a text")

    def screenshot(self, file):
        """Save what is seen as PNG."""
        shot = self.send("Page.captureScreenshot", self.session, format="png")
        Path(file).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        """End this browser and its processes."""
        os.close(self.write_end)
        os.close(self.read_end)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
