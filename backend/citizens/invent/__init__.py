"""编造数据 (invent): people, rosters and bills of nobody, to show, test and measure with."""
