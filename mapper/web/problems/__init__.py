"""Problems: what fails, by kind, with its remedy and its studies; and what failed lately."""
