/** What clients of the systems that this app stands in for are told to run; host, key and id come from the environment. */

/** Registers a webhook at the service, as its guide says. */
export const REGISTER = `curl -s -X POST "$HOST/v1/webhooks" \\
  -H "Authorization: Bearer $XTSYSTEMS_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "Discord Bot Integration",
    "url": "'$RECEIVER'",
    "events": ["ticket.created", "ticket.updated", "machine.registered", "alert.triggered"],
    "secret": "your_secure_webhook_secret"
  }'`;

export const LIST = `curl -s -H "Authorization: Bearer $XTSYSTEMS_API_KEY" \\
  $HOST/v1/webhooks`;

export const TEST = `curl -s -X POST "$HOST/v1/webhooks/$WEBHOOK_ID/test" \\
  -H "Authorization: Bearer $XTSYSTEMS_API_KEY"`;

export const DELIVERIES = `curl -s "$HOST/v1/webhooks/$WEBHOOK_ID/deliveries?limit=50" \\
  -H "Authorization: Bearer $XTSYSTEMS_API_KEY"`;

export const UPDATE = `curl -s -X PUT "$HOST/v1/webhooks/$WEBHOOK_ID" \\
  -H "Authorization: Bearer $XTSYSTEMS_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"active": false}'`;

export const DELETE = `curl -s -X DELETE "$HOST/v1/webhooks/$WEBHOOK_ID" \\
  -H "Authorization: Bearer $XTSYSTEMS_API_KEY"`;

export const HEALTH = ["curl -s $HOST/health", "curl -s -X POST $HOST/health"];

/** Sends a ticket in, unsigned. */
export const RECEIVE = `curl -s -X POST $HOST/api/webhooks/receive \\
  -H "Content-Type: application/json" \\
  -d '{
    "event": "ticket.create",
    "data": {
      "subject": "Test Ticket",
      "message": "This is a test",
      "customer_email": "test@example.com"
    }
  }'`;

/** Sends a ticket in from Node, signed. */
export const SIGNED_SENDER = `
const { createHmac } = require("node:crypto");
const body = JSON.stringify({
  event: "ticket.create",
  data: {
    subject: "Support Request",
    message: "Customer message here",
    customer_email: "customer@example.com",
    customer_name: "John Doe",
    priority: "medium",
    category: "Technical",
  },
});
const signature = createHmac("sha256", process.env.WEBHOOK_SECRET).update(body).digest("hex");
fetch(process.env.HOST + "/api/webhooks/receive", {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-Webhook-Signature": signature },
  body,
}).then(async (response) => console.log(await response.text()));
`;

/** A receiver in Node that verifies over the raw body and tells each request in a line. */
export const NODE_RECEIVER = `
const { createHmac, timingSafeEqual } = require("node:crypto");
const { createServer } = require("node:http");

const isSigned = (payload, signature, secret) => {
  const expected = Buffer.from(createHmac("sha256", secret).update(payload).digest("hex"));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
};

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const payload = Buffer.concat(chunks).toString();
    const signed = isSigned(payload, request.headers["x-webhook-signature"] ?? "", process.env.WEBHOOK_SECRET);
    response.writeHead(signed ? 200 : 401).end();
    const { event, timestamp, data } = JSON.parse(payload);
    console.log(JSON.stringify({ signed, event, timestamp, data, headers: request.headers }));
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: "http://127.0.0.1:" + server.address().port })));
`;

/** The same in Python. */
export const PYTHON_RECEIVER = `
import hashlib, hmac, json, os
from http.server import BaseHTTPRequestHandler, HTTPServer

def is_signed(payload, signature, secret):
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, expected)

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        payload = self.rfile.read(int(self.headers["Content-Length"])).decode()
        signed = is_signed(payload, self.headers.get("X-Webhook-Signature", ""), os.environ["WEBHOOK_SECRET"])
        self.send_response(200 if signed else 401)
        self.end_headers()
        headers = {name.lower(): value for name, value in self.headers.items()}
        print(json.dumps({"signed": signed, "headers": headers, **json.loads(payload)}), flush=True)

    def log_message(self, *args):
        pass

server = HTTPServer(("127.0.0.1", 0), Receiver)
print(json.dumps({"url": "http://127.0.0.1:%d" % server.server_port}), flush=True)
server.serve_forever()
`;
