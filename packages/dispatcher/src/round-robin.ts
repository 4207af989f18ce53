/** Whose turn it is. Each item is in here once at most: in line, or parked until there may be room for it again. */
export interface RoundRobin<Item> {
  /** Puts an item at the end of the line, unless it stands there already. */
  line(item: Item): void;
  /** Takes out the one whose turn it is. */
  next(): Item | undefined;
  /** Sets aside one that had its turn and could not use it. */
  park(item: Item): void;
  /** Puts those parked longest back in line, `count` of them at most. */
  unpark(count: number): void;
  readonly isEmpty: boolean;
}

export function createRoundRobin<Item>(): RoundRobin<Item> {
  const waiting = createOrderedSet<Item>();
  const parked = createOrderedSet<Item>();

  const line = (item: Item): void => {
    parked.delete(item);
    waiting.add(item);
  };

  return {
    line,
    next: waiting.shift,
    park: parked.add,
    unpark(count) {
      for (let left = count; left > 0; left -= 1) {
        const item = parked.shift();
        if (item === undefined) return;
        waiting.add(item);
      }
    },
    get isEmpty() {
      return waiting.size() === 0;
    },
  };
}

/** First in, first out. A `Set` alone steps over all that was taken from its head, each time. */
function createOrderedSet<Item>() {
  const members = new Set<Item>();
  let items: Item[] = [];
  let head = 0;

  return {
    add(item: Item): void {
      if (members.has(item)) return;
      members.add(item);
      items.push(item);
    },
    /** Its place in the order is passed over later. */
    delete(item: Item): void {
      members.delete(item);
    },
    shift(): Item | undefined {
      while (head < items.length) {
        const item = items[head] as Item;
        head += 1;
        if (head === items.length || head > 1024) {
          items = items.slice(head);
          head = 0;
        }
        if (members.delete(item)) return item;
      }
      return undefined;
    },
    size: () => members.size,
  };
}
