"""The real client library of snapcraft, driven by tests: one JSON line for each call, one for each answer, in any order.

A call has `id`, `op` (login, request, upload), `url` of the store, and what the library's method takes. An answer has `id` and
either `status`, `headers`, `text` (what the store said, error or not) and the `credentials` that the library holds then, or `failure`.
"""

import base64
import configparser
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from urllib.parse import urlparse

from craft_store import UbuntuOneStoreClient, endpoints, errors

VARIABLE = "SNAPCRAFT_STORE_CREDENTIALS"
# The library gives up on a 5xx after four minutes; a test wants to see it.
os.environ["CRAFT_STORE_RETRIES"] = "0"
lock = threading.Lock()
known = {}


def client_for(url, credentials):
    """As snapcraft makes it: credentials from the environment, or none yet (publisher-api.md 2.1)."""
    with lock:
        if (url, credentials) in known:
            return known[url, credentials]
        os.environ[VARIABLE] = credentials or ""
        settings = {
            "storage_base_url": url,
            "auth_url": url,
            "endpoints": endpoints.U1_SNAP_STORE,
            "application_name": "snapcraft",
            "user_agent": "snapcraft/9.0.1 ubuntu/24.04 (x86_64)",
        }
        if credentials and is_ini(credentials):
            client = LegacyClient(credentials, url, **settings)
        else:
            client = UbuntuOneStoreClient(base_url=url, environment_auth=VARIABLE, ephemeral=not credentials, **settings)
        if credentials:
            known[url, credentials] = client
        return client


def is_ini(text):
    return text.lstrip().startswith("[") or base64.b64decode(text).lstrip().startswith(b"[")


def seconds_until(expires):
    """The library adds whole seconds to the present second."""
    while time.time() % 1 > 0.8:
        time.sleep(0.02)
    return int(datetime.fromisoformat(expires).timestamp()) - int(time.time())


class LegacyClient(UbuntuOneStoreClient):
    """Takes its macaroons from INI, as snapcraft's LegacyUbuntuOne does (publisher-api.md 2.1, 2.9)."""

    def __init__(self, text, url, **kwargs):
        super().__init__(base_url=url, ephemeral=True, **kwargs)
        ini = configparser.ConfigParser()
        try:
            ini.read_string(text)
        except configparser.Error:
            ini.read_string(base64.b64decode(text).decode())
        section = ini[urlparse(url).hostname]
        pair = {"r": section["macaroon"], "d": section["unbound_discharge"]}
        self._auth.set_credentials(json.dumps(pair))


def login(call):
    client = client_for(call["url"], None)
    packages = [endpoints.Package(name, "snap") for name in call["packages"]]
    credentials = client.login(
        permissions=call["permissions"],
        description="snapcraft@host",
        ttl=seconds_until(call["expires"]),
        packages=packages or None,
        channels=call["channels"] or None,
        email=call["email"],
        password=call["password"],
        otp=call["otp"],
    )
    return {"status": 200, "headers": {}, "text": "{}", "credentials": credentials}


def request(call):
    client = client_for(call["url"], call["credentials"])
    body = base64.b64decode(call["body"]) if "body" in call else None
    response = client.request(call["method"], call["url"] + call["path"], headers=call["headers"], data=body)
    credentials = client._auth.encode_credentials(client._auth.get_credentials())
    return {**answer(response), "credentials": credentials}


def upload(call):
    client = client_for(call["url"], call["credentials"])
    upload_id = client.upload_file(filepath=Path(call["file"]))
    return {"status": 200, "headers": {}, "text": json.dumps({"upload_id": upload_id}), "credentials": call["credentials"]}


def answer(response):
    return {"status": response.status_code, "headers": dict(response.headers), "text": response.text}


def run(call):
    try:
        result = {"login": login, "request": request, "upload": upload}[call["op"]](call)
    except errors.StoreServerError as error:
        # `printed` is what snapcraft shows of it.
        result = {**answer(error.response), "credentials": call.get("credentials"), "printed": f"{error}\n{error.details or ''}".strip()}
    except Exception as error:
        result = {"failure": f"{type(error).__name__}: {error}"}
    with lock:
        print(json.dumps({"id": call["id"], **result}), flush=True)


with ThreadPoolExecutor(8) as pool:
    for line in sys.stdin:
        pool.submit(run, json.loads(line))
