import type { SqlQuery } from "@hookline/core";
import type { TakenEntity } from "./take-entity.js";

/** Lets the next one have the entity's state, unless somebody else has it by now. */
export function releaseEntity(schema: string) {
  const text = `
    update "${schema}".states set holder = null, held_until = null
    where endpoint_id = $1::text and entity = $2::text and holder = $3::text`;

  return (query: SqlQuery, { endpointId, entity, holder }: TakenEntity) => query(text, [endpointId, entity, holder]);
}
