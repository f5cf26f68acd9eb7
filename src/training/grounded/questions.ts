// Owns how questions are worded, English and Chinese, by what is asked, and wordings that training never draws. `{s}`, `{r}` and `{o}` stand for subject, relation and object.
// Refuses to know names, relations and replies.

export const EN_ASK = [
  'what is the {r} of {s}', 'who is the {r} of {s}', 'what {r} does {s} have', 'tell me the {r} of {s}', '{s} {r} what', 'which {r} belongs to {s}', "{s}'s {r}", 'give the {r} for {s}', 'name the {r} of {s}', 'what do we know about the {r} of {s}',
  'which {r} has {s}', 'what is {s}\'s {r}', 'who is {s}\'s {r}', 'where is the {r} of {s}', 'when is the {r} of {s}', 'what are the {r} of {s}', 'what about the {r} of {s}', 'and the {r} of {s}', 'the {r} of {s}', '{s}: {r}', '{r} of {s}', '{s}, {r}', 'show the {r} of {s}', 'find the {r} of {s}',
  'list the {r} of {s}', 'write down the {r} of {s}', 'could the {r} of {s} be named', 'is there a {r} of {s}, and which', 'of {s}, what is the {r}', 'with {s} in mind, which {r} is it', 'what does the graph hold as {r} of {s}', 'regarding {s}, what is the {r}', 'I am looking for the {r} of {s}', 'I want the {r} that {s} has',
  'under {r}, what is given for {s}', 'which one is the {r} of {s}', 'what would you give as the {r} of {s}', 'does {s} have a {r}, and if so which', 'who or what is the {r} of {s}', 'can the {r} of {s} be found', 'the {r} of {s} is what', 'what {r} is known of {s}', 'say who the {r} of {s} is', 'remind me of the {r} of {s}',
] as const;
export const EN_ASK_HELD_OUT = ['could you look up {s} and say its {r}', 'for {s} I need to know the {r}', 'please state {r} concerning {s}'] as const;
export const EN_COPULA = [
  'what was {s} {r}', 'who was {s} {r}', 'where was {s} {r}', '{s} was {r} what', 'when was {s} {r}', 'whom was {s} {r}', 'what is {s} {r}', 'who is {s} {r}', 'where is {s} {r}', '{s} is {r} whom', 'which one was {s} {r}', 'in what way was {s} {r}, and what is it', '{s} was {r} where', 'what has {s} been {r}', 'tell me what {s} is {r}',
  'of what is {s} {r}', 'show what {s} was {r}', 'which ones is {s} {r}',
] as const;
export const EN_VERB = ['what does {s} {r}', 'who does {s} {r}', '{s} {r} what', 'what is it that {s} {r}', 'whom does {s} {r}', 'where does {s} {r}', 'what did {s} {r}', 'who did {s} {r}', '{s} {r} whom', 'which ones does {s} {r}', 'tell me what {s} {r}', 'name what {s} {r}', 'list all that {s} {r}', 'what things does {s} {r}'] as const;
export const EN_INVERSE = [
  'what was {r} {o}', 'who was {r} {o}', 'which ones were {r} {o}', 'what has the {r} {o}', 'whose {r} is {o}', 'who {r} {o}', 'what {r} {o}', 'list everything with {r} {o}', 'find all that were {r} {o}', 'what things are {r} {o}', 'which are {r} {o}', 'name all that {r} {o}', 'show what {r} {o}', 'everything {r} {o}', 'who has {o} as {r}', 'what has {o} as its {r}',
  'of whom is {o} the {r}', 'of what is {o} the {r}', '{o} is the {r} of what', '{o} is the {r} of whom', 'for which is {o} the {r}', 'who is it whose {r} is {o}', 'give those that {r} {o}', 'which ones have the {r} {o}',
] as const;
export const EN_CHECK = [
  'is {o} the {r} of {s}', 'was {s} {r} {o}', 'is it true that {s} {r} {o}', 'is {s} {r} {o}', 'does {s} {r} {o}', 'did {s} {r} {o}', 'has {s} the {r} {o}', 'does {s} have {o} as {r}', 'is the {r} of {s} {o}', 'am I right that {s} {r} {o}', 'is {o} a {r} of {s}', '{s} {r} {o}, is that so', 'could {s} be {r} {o}', 'was {o} the {r} of {s}', 'is it so that {o} is the {r} of {s}',
  'check whether {s} {r} {o}', 'does the graph say that {s} {r} {o}',
] as const;
export const EN_CLASS = ['is {s} {o}', 'is {s} a {o}', 'is {s} an {o}', 'are {s} {o}', 'was {s} a {o}', 'does {s} count as {o}', 'is {s} a kind of {o}', 'is it true that {s} is a {o}', 'would you call {s} a {o}', 'can {s} be called {o}'] as const;
export const EN_CLASS_ASK = ['what is {s}', 'who is {s}', 'what kind of thing is {s}', 'what sort of thing is {s}', 'which kinds is {s} of', 'what can {s} be called', 'tell me what {s} is', 'what are the classes of {s}', 'of what type is {s}', 'what was {s}', 'what do we know {s} to be', 'what would you call {s}'] as const;
export const EN_CLASS_INVERSE = ['who is a {o}', 'what is an {o}', 'which are {o}s', 'who are the {o}s', 'list all {o}s', 'list every {o}', 'name the {o}s', 'which ones are {o}', 'find all that are {o}', 'show everything that is a {o}', 'which {o}s are there', 'what counts as a {o}', 'give those that are {o}', 'who is {o}'] as const;
export const EN_CLASS_COUNT = ['how many {o}s are there', 'how many are {o}', 'count the {o}s', 'what is the number of {o}s', 'of how many {o}s do we know', 'how many count as {o}'] as const;
export const EN_COUNT = [
  'how many {r} does {s} have', 'how many {r} {s}', 'count the {r} of {s}', 'what is the number of {r} of {s}', 'how many {r} of {s} are there', 'how many {r} are known of {s}', 'the number of {r} of {s}', 'how large is the number of {r} of {s}', 'give the count of {r} for {s}', 'in number, what are the {r} of {s}', 'how many is {s} {r}', 'how often does {r} stand for {s}',
] as const;
export const EN_PREFIX = ['', '', '', '', '', '', '', '', 'please tell me, ', 'can you say ', 'I wonder, ', 'do you know ', 'please, ', 'hello, ', 'quick question: ', 'so ', 'and ', 'well, ', 'one more: ', 'help me: ', 'I would like to know: ', 'now tell me '] as const;
export const ZH_ASK = [
  '{s}的{r}是什么', '{s}的{r}是谁', '{s}{r}哪里', '{s}{r}什么', '请问{s}的{r}', '谁是{s}的{r}', '{s}的{r}有哪些', '告诉我{s}的{r}', '{s}{r}何时', '{s}的{r}', '{s}，{r}', '{r}：{s}', '{s}的{r}在哪里', '{s}的{r}是多少', '{s}的{r}是哪一个', '{s}的{r}叫什么', '什么是{s}的{r}', '哪个是{s}的{r}', '哪里是{s}的{r}', '请告诉我{s}的{r}是什么', '你知道{s}的{r}吗',
  '能说说{s}的{r}吗', '说出{s}的{r}', '列出{s}的{r}', '给出{s}的{r}', '关于{s}，{r}是什么', '对于{s}，{r}是谁', '那么{s}的{r}呢', '{s}的{r}呢', '求{s}的{r}', '问一下，{s}的{r}是什么', '{s}{r}谁', '{s}{r}哪一年', '{s}{r}哪个', '图谱里{s}的{r}是什么', '想知道{s}的{r}', '谁知道{s}的{r}', '{s}有什么{r}', '{s}到底{r}什么', '{s}究竟{r}哪里', '有谁是{s}的{r}',
] as const;
export const ZH_ASK_HELD_OUT = ['我想了解{s}的{r}', '麻烦查一下{s}的{r}是哪个'] as const;
export const ZH_INVERSE = ['谁的{r}是{o}', '哪些的{r}是{o}', '什么{r}{o}', '谁{r}{o}', '有哪些{r}{o}', '列出{r}{o}的', '哪些{r}{o}', '{r}{o}的有哪些', '{r}{o}的是谁', '{o}是谁的{r}', '{o}是什么的{r}', '{o}是哪些的{r}', '以{o}为{r}的有哪些', '找出{r}{o}的', '什么的{r}是{o}', '都有谁{r}{o}', '{r}是{o}的有哪些', '请列出所有{r}{o}的'] as const;
export const ZH_CHECK = ['{s}的{r}是{o}吗', '{s}{r}{o}吗', '{o}是不是{s}的{r}', '是否{s}{r}{o}', '{o}是{s}的{r}吗', '{s}的{r}是不是{o}', '{s}是不是{r}{o}', '{s}{r}{o}，对吗', '{s}的{r}是{o}，对不对', '难道{s}的{r}是{o}吗', '请问{s}的{r}是{o}吗', '{s}真的{r}{o}吗', '听说{s}{r}{o}，是真的吗', '{s}的{r}是否为{o}'] as const;
export const ZH_CLASS = ['{s}是{o}吗', '{s}是不是{o}', '{s}会{o}吗', '{s}是一种{o}吗', '{s}算{o}吗', '{s}属于{o}吗', '{s}是否为{o}', '{s}是{o}，对吗', '请问{s}是{o}吗', '{s}真的是{o}吗'] as const;
export const ZH_CLASS_ASK = ['{s}是什么', '{s}是谁', '{s}是哪一种', '{s}属于哪一类', '{s}是什么东西', '请问{s}是什么', '{s}算什么', '什么是{s}', '{s}是哪类', '告诉我{s}是什么'] as const;
export const ZH_CLASS_INVERSE = ['谁是{o}', '哪些是{o}', '有哪些{o}', '什么是{o}', '列出所有{o}', '{o}有哪些', '都有谁是{o}', '找出所有的{o}', '哪些属于{o}', '哪个是{o}'] as const;
export const ZH_CLASS_COUNT = ['有多少{o}', '{o}有几个', '一共有多少个{o}', '{o}共有多少', '数一数{o}', '{o}的数量是多少'] as const;
export const ZH_COUNT = ['{s}有多少{r}', '{s}的{r}有几个', '{r}{s}的一共多少', '{s}一共有多少个{r}', '{s}的{r}有多少', '{s}的{r}共几个', '数一数{s}的{r}', '{s}的{r}数量', '{s}的{r}总数是多少', '请问{s}有几个{r}'] as const;
