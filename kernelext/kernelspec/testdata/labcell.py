"""Runs a cell in a kernel of JupyterLab as its page does, and prints what the cell prints.

    python labcell.py ADDRESS TOKEN KERNEL CODE
"""
import json
import sys
import urllib.request
import uuid

import websocket

address, token, name, code = sys.argv[1:]
headers = {"Authorization": "token " + token, "Content-Type": "application/json"}


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read() or "null")


session = ask("POST", "/api/sessions", {"path": "cell.ipynb", "name": "cell", "type": "notebook", "kernel": {"name": name}})
channels = websocket.create_connection(
    address.replace("http", "ws", 1) + "/api/kernels/%s/channels" % session["kernel"]["id"],
    header=["Authorization: token " + token], timeout=60)
channels.send(json.dumps({
    "header": {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": uuid.uuid4().hex, "version": "5.3"},
    "parent_header": {}, "metadata": {}, "channel": "shell",
    "content": {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True},
}))
while True:
    message = json.loads(channels.recv())
    if message["msg_type"] == "stream":
        sys.stdout.write(message["content"]["text"])
    elif message["msg_type"] == "error":
        sys.exit(message["content"]["evalue"])
    elif message["msg_type"] == "execute_reply":
        print(message["content"]["status"])
        break
ask("DELETE", "/api/sessions/" + session["id"])
