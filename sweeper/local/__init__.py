"""Run:ai's Trainings API over processes of this machine."""
