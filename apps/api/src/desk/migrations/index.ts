import type { Migration } from "@hookline/postgres";
import { ticketsAndMachines } from "./0001-tickets-and-machines.js";
import { wholeDesk } from "./0002-whole-desk.js";
import { people } from "./0003-people.js";
import { registeredCommands } from "./0004-registered-commands.js";
import { firstStarts } from "./0005-first-starts.js";

/** The tables of the reference domain, in a schema of their own. */
export const deskMigrations: readonly Migration[] = [
  ticketsAndMachines,
  wholeDesk,
  people,
  registeredCommands,
  firstStarts,
];
