import { verify } from "../web/verify.js";
import { createVerifyRequest } from "./verify-request.js";

export type { VerifyRequestOptions, WebhookRequest } from "./verify-request.js";
export const verifyRequest = /* @__PURE__ */ createVerifyRequest(verify);
