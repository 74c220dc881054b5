import type {
  Dashboard,
  Panel,
  RowPanel,
} from "@grafana/schema/dist/types/raw/dashboard/x/types.gen";

/** What a file of a board holds; Grafana's own type leaves the panels open. */
export type Board = Omit<Dashboard, "panels"> & { panels: Array<Panel | RowPanel> };
