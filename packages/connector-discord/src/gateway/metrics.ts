import { type GatewayWorkerStats, isHealthy } from "./stats.js";

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** By labels; a value that is not known is left out. */
  readonly samples: readonly {
    readonly labels?: Readonly<Record<string, string | number>>;
    readonly value: number | null;
  }[];
}

/**
 * What a worker says of itself, for Prometheus.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function renderMetrics(stats: GatewayWorkerStats): string {
  return metricsOf(stats).map(render).join("");
}

function metricsOf(stats: GatewayWorkerStats): readonly Metric[] {
  const { gateway, spool, ingress } = stats;
  const gauge = (name: string, help: string, value: number | null): Metric => ({
    name,
    help,
    type: "gauge",
    samples: [{ value }],
  });
  const counter = (name: string, help: string, value: number): Metric => ({
    ...gauge(name, help, value),
    type: "counter",
  });
  const ofShards = (
    name: string,
    help: string,
    read: (shard: (typeof gateway.shards)[number]) => number | null,
  ): Metric => ({
    name,
    help,
    type: "gauge",
    samples: gateway.shards.map((shard) => ({ labels: { shard: shard.id }, value: read(shard) })),
  });
  return [
    gauge("hookline_gateway_healthy", "1 when /healthz answers 200.", isHealthy(stats) ? 1 : 0),
    {
      name: "hookline_gateway_state",
      help: "1 for the state that the worker is in.",
      type: "gauge",
      samples: [{ labels: { state: stats.state }, value: 1 }],
    },
    ofShards("hookline_gateway_shard_live", "1 when the shard is connected and has caught up.", ({ live }) =>
      live ? 1 : 0,
    ),
    ofShards(
      "hookline_gateway_shard_last_heartbeat_timestamp_seconds",
      "When Discord last acknowledged a heartbeat.",
      ({ lastHeartbeatAckAt }) => (lastHeartbeatAckAt === null ? null : Date.parse(lastHeartbeatAckAt) / 1000),
    ),
    ofShards(
      "hookline_gateway_shard_silence_seconds",
      "Since the last packet or acknowledged heartbeat.",
      ({ lastSignAgeMs }) => lastSignAgeMs / 1000,
    ),
    gauge("hookline_gateway_shards_held", "Shards whose lease the worker has.", stats.leases?.held.length ?? null),
    gauge(
      "hookline_gateway_shards_unheld",
      "Shards that no worker holds, as far as this one was told.",
      stats.leases?.unheld.length ?? null,
    ),
    gauge(
      "hookline_gateway_identifies_left",
      "New sessions that Discord allows until its daily limit resets, as of the last connection.",
      gateway.identifiesLeft,
    ),
    counter("hookline_gateway_identifies_total", "New sessions begun.", gateway.identifies),
    counter("hookline_gateway_resumes_total", "Sessions resumed.", gateway.resumes),
    counter("hookline_gateway_gaps_total", "Sessions that could not be continued.", gateway.gaps),
    counter("hookline_gateway_packets_received_total", "Packets of the forwarded types.", gateway.receivedPackets),
    gauge("hookline_gateway_spool_packets", "Packets that the API does not have yet.", spool.items),
    gauge("hookline_gateway_spool_bytes", "Bytes of those packets.", spool.bytes),
    gauge(
      "hookline_gateway_spool_oldest_age_seconds",
      "How long the oldest of those packets waits; 0 when none does.",
      (spool.oldestAgeMs ?? 0) / 1000,
    ),
    gauge("hookline_gateway_spool_full", "1 when the worker has left Discord for want of room.", spool.full ? 1 : 0),
    counter("hookline_gateway_packets_sent_total", "Packets that the API has answered for.", ingress.sentPackets),
    counter(
      "hookline_gateway_dead_letters_total",
      "Packets that were put into the dead-letter file.",
      ingress.deadLetters,
    ),
    gauge(
      "hookline_gateway_ingress_last_answer_timestamp_seconds",
      "When the API last took a batch.",
      ingress.lastAnswerAt === null ? null : Date.parse(ingress.lastAnswerAt) / 1000,
    ),
    gauge(
      "hookline_gateway_ingress_trouble",
      "1 when nothing gets through to the API.",
      ingress.trouble === null ? 0 : 1,
    ),
  ];
}

function render({ name, type, help, samples }: Metric): string {
  const lines = samples.flatMap(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return value === null ? [] : [`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`];
  });
  return lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
