import { setUpWebhook } from "./platform/set-up.js";

process.exitCode = await setUpWebhook({
  args: process.argv.slice(2),
  environment: process.env,
  write: (line) => console.log(line),
});
