/** What a message says. Texts are plain: whatever stands in them, nobody is mentioned and nothing becomes a link. */
export interface SlackMessage {
  /** The first line, in bold. */
  readonly title: string;
  /** Where the title leads: an `http` or `https` address. */
  readonly url?: string;
  readonly text?: string;
  /** The bar at the left: one of {@link SLACK_COLORS}, or `#rrggbb`. Default `neutral`. */
  readonly color?: SlackColor | `#${string}`;
  /** Details, two in a row. Slack shows ten of them. */
  readonly fields?: readonly SlackField[];
  /** Beside the time. */
  readonly footer?: string;
}

export interface SlackField {
  readonly name: string;
  readonly value: string;
}

export type SlackColor = keyof typeof SLACK_COLORS;

/** Names for the colours by which a channel tells events apart. */
export const SLACK_COLORS = {
  neutral: "#8d8d8d",
  info: "#3b82f6",
  success: "#22a06b",
  warning: "#e2a100",
  danger: "#d93025",
} as const satisfies Record<string, `#${string}`>;

/** What Slack takes, in characters and pieces. https://docs.slack.dev/reference/block-kit/blocks/section-block */
export const SLACK_LIMITS = {
  notificationText: 3_000,
  sectionText: 3_000,
  sectionFields: 10,
  fieldText: 2_000,
  contextText: 2_000,
  url: 2_000,
} as const satisfies Record<string, number>;
