import type { Interpretation } from "@hookline/core";
import type { ColdConnectOptions } from "./options.js";

/** What `afterBind` or `afterUnbind` came to; a throw is tried again. */
export async function runAfter(run: () => ReturnType<ColdConnectOptions["afterBind"]>): Promise<Interpretation> {
  try {
    return (await run()) ?? { outcome: "delivered" };
  } catch (error) {
    return { outcome: "retry", reason: error instanceof Error ? error.message : String(error) };
  }
}
