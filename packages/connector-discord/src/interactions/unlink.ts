import { button } from "../message/message-content.js";
import { reply, updateMessage } from "./answers.js";
import { defineButton } from "./define-button.js";
import { defineCommand } from "./define-command.js";

/** Whose connection is to end. */
export interface UnlinkRequest {
  readonly discordUserId: string;
  readonly tenantId: string;
  /** `member`: by `/unlink`. `deauthorized`: the member has withdrawn the application's access. */
  readonly reason: "member" | "deauthorized";
  /** The same when the request is made again after a crash. */
  readonly requestId: string;
}

/** Ends a connection; an account that is not connected is left as it is. A throw is tried again. */
export type Unlink = (request: UnlinkRequest) => Promise<unknown>;

/** Once in a while is enough, and each time is work for others. */
const COOLDOWN = { seconds: 60, uses: 3 } as const;

/** `/unlink`: asks once more, then ends the connection of the account that pressed the button. */
export function createUnlink(options: { readonly unlink: Unlink }) {
  const confirm = defineButton({
    name: "unlink",
    cooldown: COOLDOWN,
    answer: "deferred-update",
    async run({ id, user, tenantId }) {
      await options.unlink({ discordUserId: user.id, tenantId, reason: "member", requestId: id });
      // The same whether it was connected or not: asking twice is no mistake.
      return updateMessage({
        content: "Your Discord account is not connected to an email address any more. /link connects it again.",
        buttons: [],
      });
    },
  });

  const keep = defineButton({
    name: "unlink-keep",
    answer: "immediate",
    run: () => updateMessage({ content: "Nothing was changed.", buttons: [] }),
  });

  const command = defineCommand({
    name: "unlink",
    description: "Disconnect your Discord account from your email address",
    answer: "immediate",
    run: () =>
      reply({
        content:
          "Disconnect your Discord account from your email address? A role that came with the connection goes too.",
        buttons: [button(confirm, { label: "Disconnect", style: "danger" }), button(keep, { label: "Keep it" })],
      }),
  });

  return { commands: [command], components: [confirm, keep] };
}
