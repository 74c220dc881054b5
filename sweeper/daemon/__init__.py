"""The loop that keeps a sweep going: observe, plan, act, again and again."""
