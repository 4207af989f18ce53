import type { Destination } from "@hookline/core";

export declare const CHAOS_DIRECT: Destination;
