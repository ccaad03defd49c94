"""The command line client ``hanamictl``; one module per noun."""
