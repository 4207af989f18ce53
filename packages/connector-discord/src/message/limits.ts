/**
 * Discord's bounds, in characters unless said otherwise.
 *
 * @see https://docs.discord.com/developers/resources/message#embed-object-embed-limits
 */
export const DISCORD_LIMITS = {
  content: 2000,
  embeds: 10,
  /** Over all embeds of a message. */
  embedTotal: 6000,
  embedTitle: 256,
  embedDescription: 4096,
  embedFields: 25,
  embedFieldName: 256,
  embedFieldValue: 1024,
  embedFooter: 2048,
  embedAuthor: 256,
  buttonsPerRow: 5,
  rows: 5,
  buttonLabel: 80,
  /** Of a link button. */
  url: 512,
  customId: 100,
  modalTitle: 45,
  modalFields: 5,
  label: 45,
  labelDescription: 100,
  textInput: 4000,
  placeholderText: 100,
  placeholderSelect: 150,
  selectOptions: 25,
  selectOption: 100,
  commandName: 32,
  commandDescription: 100,
  commandOptions: 25,
  /** What is typed for an option. */
  commandText: 6000,
  commandChoices: 25,
  /** Name and value of a choice. */
  commandChoice: 100,
  radioOptions: 10,
  checkboxOptions: 10,
  files: 10,
  nonce: 25,
} as const;
