import type { EventDefinition, EventInput } from "@hookline/core";

/** What the data of each type of a catalogue have to be, by type. */
export type EventData<Events extends readonly EventDefinition[]> = {
  readonly [Event in Events[number] as Event["type"]]: Event extends EventDefinition<string, unknown, infer Input>
    ? Input
    : never;
};

/** An event whose data fit its type, where the catalogue has the type. */
export type TypedEvent<Catalogue, Type extends string> = EventInput<
  Type extends keyof Catalogue ? Catalogue[Type] : unknown
> & { readonly type: Type };

/** Several of them, each with a type of its own. */
export type TypedEvents<Catalogue, Types extends readonly string[]> = {
  readonly [Index in keyof Types]: TypedEvent<Catalogue, Types[Index]>;
};
