export {
  createReceiver,
  type ReceivedRequest,
  type Receiver,
  type ReceiverAnswer,
  type ReceiverOptions,
} from "./testing/receiver.js";
export { type SignedRequest, type SignedRequestOptions, signedRequest } from "./testing/signed-request.js";
export { createVirtualClock, type VirtualClock } from "./testing/virtual-clock.js";
