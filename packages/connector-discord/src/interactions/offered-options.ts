import { cutText } from "../message/cut-text.js";
import { DISCORD_LIMITS } from "../message/limits.js";
import type { SelectMenu } from "../message/select-menu.js";
import type { ModalAnswer, ReplyAnswer, UpdateAnswer } from "./answers.js";
import type { ChoiceOption, OptionSource } from "./choices.js";
import type { DiscordInteraction } from "./interaction.js";

/** Asks the menus of an answer that have no options of their own what they offer; one that offers nothing is left out. */
export async function withOfferedOptions<Answer extends ReplyAnswer | UpdateAnswer | ModalAnswer>(
  answer: Answer,
  interaction: DiscordInteraction,
): Promise<Answer> {
  if (answer.kind === "modal" || !answer.message.selects?.some(isAsking)) return answer;
  const selects: SelectMenu[] = [];
  for (const menu of answer.message.selects) {
    const { choose } = menu.definition;
    if (typeof choose !== "function") selects.push(menu);
    else {
      const options = await offeredTo(choose, interaction, menu.params);
      if (options.length > 0) selects.push({ ...menu, options });
    }
  }
  return { ...answer, message: { ...answer.message, selects } };
}

/** At most 25 that Discord takes: one that it refuses would cost the whole message. */
export async function offeredTo(
  choose: OptionSource,
  interaction: DiscordInteraction,
  params: Readonly<Record<string, string>>,
): Promise<readonly ChoiceOption[]> {
  const options = await choose({ ...interaction, params });
  const fitting = options.filter(
    ({ label, value }, index) =>
      label.trim() !== "" &&
      value.length >= 1 &&
      value.length <= DISCORD_LIMITS.selectOption &&
      options.findIndex((other) => other.value === value) === index,
  );
  return fitting.slice(0, DISCORD_LIMITS.selectOptions).map(({ label, description, ...option }) => ({
    ...option,
    label: cutText(label, DISCORD_LIMITS.selectOption),
    ...(description ? { description: cutText(description, DISCORD_LIMITS.selectOption) } : {}),
  }));
}

function isAsking(menu: SelectMenu): boolean {
  return typeof menu.definition.choose === "function";
}
