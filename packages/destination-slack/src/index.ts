export { isSlackDestinationError, SlackDestinationError, type SlackDestinationErrorCode } from "./errors.js";
export type { SlackMessageState } from "./interpret-response.js";
export {
  SLACK_COLORS,
  SLACK_LIMITS,
  type SlackColor,
  type SlackField,
  type SlackMessage,
} from "./message/slack-message.js";
export {
  SLACK_DESTINATION_ID,
  type SlackDestinationOptions,
  type SlackTemplate,
  slackDestination,
} from "./slack-destination.js";
export type { SlackTarget } from "./slack-target.js";
