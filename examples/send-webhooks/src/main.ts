// Signs one event and sends it to RECEIVER_URL. `receiver.py` beside it takes it.
import { aiSupport, sign } from "@hookline/webhook-signing";

const { RECEIVER_URL = "http://127.0.0.1:8080/", WEBHOOK_SECRET = "" } = process.env;
const event = {
  event: "ticket.created",
  timestamp: new Date().toISOString(),
  data: { ticket: { id: "7d2a", ticket_number: "TKT-2026-001", subject: "Größe fehlt", status: "new" } },
};

const body = JSON.stringify(event);
const response = await fetch(RECEIVER_URL, {
  method: "POST",
  body,
  headers: {
    "content-type": "application/json",
    "user-agent": "Hookline-Example/1.0",
    "x-webhook-event": event.event,
    ...sign(body, { scheme: aiSupport, secrets: [WEBHOOK_SECRET] }),
  },
});
console.log(`${response.status} ${await response.text()}`);
