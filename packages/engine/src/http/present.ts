type Present<Given> = { [Key in keyof Given]?: Exclude<Given[Key], undefined> };

/** What was given, without the fields that were not. */
export function present<Given extends object>(given: Given): Present<Given> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Present<Given>;
}
