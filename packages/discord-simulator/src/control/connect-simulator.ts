import { DiscordSimulatorError, type DiscordSimulatorErrorCode } from "../errors.js";
import type { SimulatedApplication, SimulatorControl, SimulatorState } from "./contract.js";
import { type ControlCall, createControlFace } from "./control-face.js";

/** A simulator in another process. */
export interface ConnectedSimulator extends SimulatorControl {
  /** As it was when the connection was made. */
  readonly application: SimulatedApplication;
}

/**
 * Drives a simulator that runs elsewhere, with the same face as {@link createDiscordSimulator}.
 *
 * Throws `request_failed` when nobody answers there; every action throws the simulator's own codes.
 *
 * @param url such as `http://127.0.0.1:4001`
 * @example
 * const simulator = await connectSimulator("http://127.0.0.1:4001");
 * const link = await simulator.member("anna").slash("link");
 * await link.submitModal({ email: "anna@example.com" });
 */
export async function connectSimulator(
  url: string,
  options: { readonly fetch?: typeof fetch } = {},
): Promise<ConnectedSimulator> {
  const origin = url.replace(/\/+$/, "");
  const call = httpCall(origin, options.fetch ?? globalThis.fetch);
  const { application } = (await call("state", {})) as SimulatorState;
  return { ...createControlFace(call), url: origin, application };
}

function httpCall(origin: string, fetch: typeof globalThis.fetch): ControlCall {
  return async (action, input) => {
    const response = await fetch(`${origin}/simulator/${action}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
    }).catch((error: unknown) => {
      throw new DiscordSimulatorError("request_failed", `No simulator answers at ${origin}.`, { cause: error });
    });
    const text = await response.text();
    if (!response.ok) {
      throw failureOf(text, response.status);
    }
    return JSON.parse(text) as unknown;
  };
}

function failureOf(text: string, status: number): DiscordSimulatorError {
  try {
    const { code, detail } = JSON.parse(text) as { code: DiscordSimulatorErrorCode; detail: string };
    return new DiscordSimulatorError(code, detail);
  } catch (error) {
    return new DiscordSimulatorError("request_failed", `The simulator answered ${status}.`, { cause: error });
  }
}
