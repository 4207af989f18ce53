// Every way to publish and to send. Each gets as many numbers as its `size` says and the stream's ordering key, and
// resolves when all of them are committed; `Undone`: when none is.
export class Undone extends Error {}

/** `transactions`: by name, each runs work in a transaction that a throw undoes. */
export function waysToPublish({ dispatcher, schema, directUrl, transactions: { ofDispatcher, ofPg, ofPostgresJs } }) {
  const dataOf = (n, orderingKey, { isRolledBack = false, hasOrder = false } = {}) => ({
    n,
    orderingKey,
    isRolledBack,
    hasOrder,
  });
  const eventOf = (n, key, flags) => ({
    tenantId: "acme",
    // Some endpoints want the odd ones only.
    type: n % 2 === 1 ? "chaos.odd" : "chaos.even",
    data: dataOf(n, key, flags),
    ...(key === null ? {} : { orderingKey: key }),
  });
  const messageOf = (n, flags) => ({
    tenantId: "acme",
    destination: "chaos-direct",
    target: { url: directUrl },
    data: dataOf(n, null, flags),
  });
  const order = (transaction, n) => transaction.query(`insert into ${schema}.orders values ($1)`, [String(n)]);
  const published = async (outcomes) => {
    for (const { status } of await outcomes) if (status !== "published") throw new Error(`It was ${status}.`);
  };
  /** What no dispatcher takes, in the middle of what it takes. */
  const publishEachButOne = async (events) => {
    const outcomes = await dispatcher.publishEach([events[0], { ...events[0], type: "no type" }, ...events.slice(1)]);
    if (outcomes[1]?.status !== "refused") throw new Error("What is no event was published.");
    await published([outcomes[0], ...outcomes.slice(2)]);
  };

  const PUBLISH = {
    one: ([event], options) => dispatcher.publish(event, options),
    many: (events, options) => dispatcher.publishMany(events, options),
    each: (events, options) => published(dispatcher.publishEach(events, options)),
  };
  /** Beside a row of the caller's own for each event. */
  const within = (begin, publish, isRolledBack = false) => ({
    size: publish === PUBLISH.one ? 1 : 3,
    run: (ns, key) =>
      begin(async (transaction) => {
        for (const n of ns) await order(transaction, n);
        await publish(
          ns.map((n) => eventOf(n, key, { isRolledBack, hasOrder: true })),
          { transaction },
        );
        if (isRolledBack) throw new Undone();
      }),
  });
  const sendWithin = (begin, isRolledBack = false) => ({
    size: 1,
    run: ([n]) =>
      begin(async (transaction) => {
        await order(transaction, n);
        await dispatcher.send(messageOf(n, { isRolledBack, hasOrder: true }), { transaction });
        if (isRolledBack) throw new Undone();
      }),
  });
  const alone = (size, run) => ({ size, run });

  return [
    alone(1, ([n], key) => dispatcher.publish(eventOf(n, key))),
    within(ofDispatcher, PUBLISH.one),
    within(ofPg, PUBLISH.one, true),
    alone(3, (ns, key) => dispatcher.publishMany(ns.map((n) => eventOf(n, key)))),
    within(ofPg, PUBLISH.one),
    alone(1, ([n]) => dispatcher.send(messageOf(n))),
    alone(1, ([n], key) => {
      const event = { ...eventOf(n, key), idempotencyKey: `event-${n}` };
      return Promise.all([dispatcher.publish(event), dispatcher.publish(event)]);
    }),
    within(ofPostgresJs, PUBLISH.many),
    within(ofDispatcher, PUBLISH.one, true),
    alone(3, (ns, key) => publishEachButOne(ns.map((n) => eventOf(n, key)))),
    sendWithin(ofPg),
    within(ofPostgresJs, PUBLISH.one),
    alone(1, ([n], key) =>
      ofDispatcher(async (transaction) => {
        await order(transaction, n);
        await transaction.query("savepoint before");
        await dispatcher.publish(eventOf(n, key, { isRolledBack: true }), { transaction });
        await transaction.query("rollback to savepoint before");
        await dispatcher.publish(eventOf(n, key, { hasOrder: true }), { transaction });
      }),
    ),
    within(ofPg, PUBLISH.many, true),
    sendWithin(ofDispatcher, true),
    within(ofPg, PUBLISH.each),
    alone(1, ([n]) => {
      const message = { ...messageOf(n), idempotencyKey: `send-${n}` };
      return Promise.all([dispatcher.send(message), dispatcher.send(message)]);
    }),
    within(ofPostgresJs, PUBLISH.each, true),
  ];
}
