"""Sends one signed ticket: python3 sender.py URL, with WEBHOOK_SECRET in the environment."""

import hashlib
import hmac
import json
import os
import sys
import urllib.error
import urllib.request

ticket = {"subject": "Größe fehlt", "message": "…", "customer_email": "ada@example.com", "priority": "medium"}
body = json.dumps({"event": "ticket.create", "data": ticket}).encode()
signature = hmac.new(os.environ["WEBHOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()

request = urllib.request.Request(sys.argv[1], data=body, method="POST")
request.add_header("Content-Type", "application/json")
request.add_header("X-Webhook-Signature", signature)
try:
    with urllib.request.urlopen(request, timeout=10) as response:
        print(response.status, response.read().decode())
except urllib.error.HTTPError as error:
    print(error.code)
