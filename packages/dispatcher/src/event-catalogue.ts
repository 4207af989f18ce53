import type { EventDefinition, SchemaIssue } from "@hookline/core";
import { DispatcherError, toFieldIssues } from "./errors.js";

export interface EventCatalogue {
  /** The data as their schema gives them back; unchanged for a type that is not in the catalogue. Throws `invalid_event`. */
  check(type: string, data: unknown): unknown | Promise<unknown>;
}

export function createEventCatalogue(events: readonly EventDefinition[]): EventCatalogue {
  const byType = new Map(events.map((event) => [event.type, event]));
  return {
    check(type, data) {
      const definition = byType.get(type);
      if (definition === undefined) return data;
      const result = definition.schema["~standard"].validate(data);
      const unwrap = (checked: Awaited<typeof result>): unknown => {
        if (checked.issues !== undefined) throw invalidData(type, checked.issues);
        return checked.value;
      };
      return result instanceof Promise ? result.then(unwrap) : unwrap(result);
    },
  };
}

function invalidData(type: string, schemaIssues: readonly SchemaIssue[]): DispatcherError {
  const issues = toFieldIssues("data", schemaIssues);
  const told = issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return new DispatcherError("invalid_event", `The data of "${type}" do not fit its schema: ${told}`, { issues });
}
