"""The page Seq2seq."""
