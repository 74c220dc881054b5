"""The results of a sweep as people and other programs want them."""
