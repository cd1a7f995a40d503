"""What files say: Markdown, frontmatter, sentences and words; no input or output."""
