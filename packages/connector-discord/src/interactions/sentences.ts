/** What members read of us when nothing else is said. */
export const SENTENCES = {
  unknownCommand: "This command is not known here any more.",
  unknownButton: "This button does not lead anywhere any more.",
  unknownSelect: "This menu does not lead anywhere any more.",
  unknownModal: "This form is not known here any more.",
  unfitChoice: "This choice can't be taken any more.",
  unknownType: "This can't be answered here.",
  noTenant: "This server is not connected here yet (guild_not_mapped). Whoever manages it can have it connected.",
  refusal: "You don't have permission to do this.",
  failed: "Something went wrong on our side. Please try again in a moment.",
  mayStillCome: "This takes longer than usual. The answer comes here; if none does, please try again in some minutes.",
  tooSlow: "This takes too long at the moment. Please try again in a moment.",
} as const;
