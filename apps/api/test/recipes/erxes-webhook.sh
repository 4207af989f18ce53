# Generate HMAC signature
PAYLOAD='{"userName":"TestUser","userId":"123","ticketTitle":"Test","ticketDescription":"Testing","priority":1}'
TIMESTAMP=$(date +%s)
SECRET="hmac-secret-key-xyz789"

SIGNATURE=$(echo -n "${TIMESTAMP}.${PAYLOAD}" | openssl dgst -sha256 -hmac "$SECRET" | awk '{print $2}')

curl -X POST "https://your-erxes-domain.com/automation/{automation-id}/discord-ticket" \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer discord-bot-secret-token-12345" \
  -H "X-Erxes-Signature: sha256=${SIGNATURE}" \
  -H "X-Erxes-Timestamp: ${TIMESTAMP}" \
  -d "$PAYLOAD"
