const TYPE = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const PATTERN = /^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$/;
const MAX_CHARACTERS = 128;

export function isEventType(text: string): boolean {
  return text.length <= MAX_CHARACTERS && TYPE.test(text);
}

/** `ticket.created`, `ticket.*` (everything below `ticket`) or `*`. */
export function isEventPattern(text: string): boolean {
  return text.length <= MAX_CHARACTERS && PATTERN.test(text);
}

/** Every pattern that matches a type: itself, one for each level above it, and `*`. */
export function patternsFor(type: string): readonly string[] {
  const patterns = ["*", type];
  for (let dot = type.indexOf("."); dot !== -1; dot = type.indexOf(".", dot + 1)) {
    patterns.push(`${type.slice(0, dot)}.*`);
  }
  return patterns;
}
