import type { Context } from "hono";
import { type EngineErrorCode, isEngineError } from "../errors.js";
import { type ProblemResponse, problem } from "./problem.js";

/** Answers what the engine refuses by one of these codes as a problem; everything else is the app's to report. */
export function answerRefusals(statuses: Readonly<Partial<Record<EngineErrorCode, number>>>) {
  return async <Answer>(c: Context, work: () => Promise<Answer>): Promise<Answer | ProblemResponse> => {
    try {
      return await work();
    } catch (error) {
      if (!isEngineError(error)) throw error;
      const { code, message: detail } = error;
      const status = statuses[code];
      if (status === undefined) throw error;
      return problem(c, { status, code, detail });
    }
  };
}
