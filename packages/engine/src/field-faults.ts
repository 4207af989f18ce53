import { EngineError, type EngineErrorCode, type EngineErrorIssue } from "./errors.js";

const FAULT = /^([A-Za-z][^\s:]*): (.*)$/s;

/** Refuses what will not do by its faults: those about a field begin with its path, such as `steps.0.id: …`. */
export function refusedBy(code: EngineErrorCode, what: string, faults: readonly string[]): EngineError {
  const issues = faults.flatMap((fault): EngineErrorIssue[] => {
    const [, path, message] = FAULT.exec(fault) ?? [];
    return path === undefined || message === undefined ? [] : [{ path, message }];
  });
  return new EngineError(code, `${what} will not do: ${faults.join("; ").replace(/\.$/, "")}.`, { issues });
}
