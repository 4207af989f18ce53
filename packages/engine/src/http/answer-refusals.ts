import type { Context } from "hono";
import { type EngineErrorCode, isEngineError } from "../errors.js";
import { type ProblemResponse, problem } from "./problem.js";
import { pointerTo } from "./router.js";

/** Answers what the engine refuses by one of these codes as a problem; everything else is the app's to report. */
export function answerRefusals(statuses: Readonly<Partial<Record<EngineErrorCode, number>>>) {
  return async <Answer>(c: Context, work: () => Promise<Answer>): Promise<Answer | ProblemResponse> => {
    try {
      return await work();
    } catch (error) {
      if (!isEngineError(error)) throw error;
      // One of an older copy of this package has none.
      const { code, message: detail, issues = [] } = error;
      const status = statuses[code];
      if (status === undefined) throw error;
      const errors = issues.map(({ path, message }) => ({
        pointer: pointerTo(["body", ...path.split(".")]),
        message,
      }));
      return problem(c, { status, code, detail, ...(errors.length === 0 ? {} : { errors }) });
    }
  };
}
