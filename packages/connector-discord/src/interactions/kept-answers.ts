/** Answers that handlers have given and that are not shown yet. */
export interface KeptAnswers<Answer> {
  /** Calls `make` unless its answer is known or still being made; a failure is forgotten. */
  once(interactionId: string, make: () => Promise<Answer>): Promise<Answer>;
  /** The answer, if it is there by now. */
  get(interactionId: string): Answer | undefined;
  drop(interactionId: string): void;
}

const MAX_KEPT = 1_000;

/**
 * Lets a follow-up that could not be shown be shown again without doing its work again, also when the work took longer
 * than an attempt may. In memory only: an answer may hold what nobody else is to read. After a crash the handler runs
 * again, with the same interaction id.
 */
export function createKeptAnswers<Answer>(): KeptAnswers<Answer> {
  interface Entry {
    answer?: Answer;
    making?: Promise<Answer>;
  }
  const entries = new Map<string, Entry>();

  function begin(interactionId: string): Entry {
    const entry: Entry = {};
    entries.set(interactionId, entry);
    if (entries.size > MAX_KEPT) {
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    }
    return entry;
  }

  async function fill(entry: Entry, interactionId: string, make: () => Promise<Answer>): Promise<Answer> {
    try {
      entry.answer = await make();
      return entry.answer;
    } catch (error) {
      entries.delete(interactionId);
      throw error;
    }
  }

  return {
    once(interactionId, make) {
      const known = entries.get(interactionId);
      if (known?.making !== undefined) return known.making;
      const entry = begin(interactionId);
      entry.making = fill(entry, interactionId, make);
      return entry.making;
    },
    get: (interactionId) => entries.get(interactionId)?.answer,
    drop(interactionId) {
      entries.delete(interactionId);
    },
  };
}
