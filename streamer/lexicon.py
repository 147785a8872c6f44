"""The embedded director's words, a table a language family.

A pattern of Latin letters matches from a word's edge (``smil`` finds ``smiling``) and is a regular expression; any other
stands anywhere. The longest match at a place wins, so ``close your eyes`` beats ``eyes`` and ``摇头`` beats ``头``.
"""

from __future__ import annotations

#: emotion → ((usual intensity, patterns), …); a row for each degree and family of scripts.
EMOTIONS: dict[str, tuple[tuple[float, str], ...]] = {
    "calm": (
        (0.6, r"calm|relax|seren(?:e|ity)|peaceful|composed|composure|neutral|tranquil|sooth|at (?:ease|peace)|collected|poised|unbothered|unfazed|unruffled|unhurried|unmoved|unsurprised|unafraid|chill|zen\b|mellow|placid|laid[- ]back|easy ?going|(?:keep|stay|play)(?:s|ing)? (?:it |your )?(?:cool|together)|tak(?:e|ing) it easy|cool[- ]headed|as a cucumber|settle down|nonchalan|breathe easy|deep breath and relax"),
        (0.5, r"serious|professional|deadpan|straight[- ]face|(?:keep|with) (?:a |your )?(?:face )?straight|poker[- ]face|stoic|matter[- ]of[- ]fact|expressionless|emotionless|impassive|indifferen|patient(?:ly)?\b|steady|level[- ]headed|businesslike|(?:blank|plain|resting|stony?|flat) (?:face|expression|stare|look)|stone[- ]faced|(?:show|with|have) no (?:emotion|expression|feeling)s?|formal(?:ly)?\b|attentive|thoughtful|pensive|normal(?:ly)?\b|bored|detached|reserved"),
        (0.6, "平静|冷静|镇定|沉着|放松|松弛|安静|从容|淡定|平和|中性|安详|恬静|心平气和|气定神闲|镇定自若|处变不惊|波澜不惊|慢条斯理|心如止水|娓娓道来|不紧不慢|有条不紊|岁月静好|温和|平稳|语气平|淡然|坦然|安然|定定神|冷静下来|泰然|若无其事|不慌不忙|不动声色|平心静气|稳重|稳住|沉稳|冷淡|佛系|云淡风轻|落ち着|穏やか|冷静に|リラックス|平然|静かに|淡々|차분|침착|평온|편안|담담|느긋|태연|진정"),
        (0.5, "严肃|正经|认真|专业|面无表情|板着脸|没有?表情|没什么表情|一本正经|端庄|深沉|沉思|若有所思|专注|正常|自然一点|木然|真面目|無表情|真剣|普通に|진지|무표정|평소"),
    ),
    "joy": (
        (0.95, r"overjoyed|elat(?:ed|ion)|radiant|over the moon|jubila|on cloud nine|on top of the world|euphori|blissful|bliss\b|walking on air|happiest|tears of joy|in seventh heaven|狂喜|欣喜若狂|喜出望外|乐不可支|高兴坏|乐坏|笑开花|乐开了?花|心花怒放|好消息|喜讯|天にも昇|有頂天|大喜び|뛸 듯이 기|황홀"),
        (0.85, r"beam(?:s|ing|ed)?\b|delight|(?:big|broad|huge|wide|giant|massive) (?:\w+ )?(?:smile|grin)|ear to ear|widely smil|smil(?:e|es|ing) (?:widely|broadly)|glee|gleeful|ecstatic with joy|tickled pink|chuffed|as (?:pleased as|happy as)|overflowing with happ|笑得合不拢嘴|笑得很?灿烂|眉开眼笑|春风满面|笑逐颜开|喜形于色|喜不自胜|喜极而泣|喜笑颜开|喜上眉梢|欢天喜地|兴高采烈|满脸笑容|满面笑容|笑容满面|灿烂|喜滋滋|美滋滋|満面の笑み|大満足|활짝 웃|함박웃음|환하게"),
        (0.7, r"joy|happ(?:y|ier|ily|iness)|grin|glad|merr(?:y|ily|iment)|jolly|jovial|laughing with joy|cheer(?:y|ful|fully|ily)|mirth|rejoic|having (?:a (?:great|good|nice) time|fun)|good (?:mood|spirits|cheer)|high spirits|in love|高兴|开心|快乐|喜悦|愉快|愉悦|欢乐|欢喜|欣喜|一笑|笑一个|喜气|喜气洋洋|过年|喜庆|热闹|心情(?:特别|很|非常|超|真|挺|大)*(?:好|不错|愉快|舒畅)|满心欢|欢快|欢腾|开怀|畅快|舒心|惬意|爽(?!约|快地拒)|过瘾|甜甜|暖心|扬眉吐气|如愿以偿|乐呵呵|乐滋滋|笑嘻嘻|笑呵呵|笑盈盈|幸福|甜蜜|(?<![音娱可声器配俱玩])乐(?![队器曲谱高意天])|好开森|开森|ご機嫌|うきうき|にっこり|笑顔|笑み|にこにこ|ニコニコ|嬉し|うれし|楽し|喜ん|喜び|幸せ|ハッピー|笑っ|笑う|笑い|笑わ|笑え|笑お|방긋|싱글벙글|생글|기쁜|기쁘|기뻐|기쁨|행복|즐거|즐겁|신나게 웃|웃|미소"),
        (0.6, r"cheer|smil|pleased|upbeat|amus|playful|proud|grateful|thankful|gratitude|jok(?:e|es|ing|ey)\b|good[- ]humou?r|cheeky|mischie|satisf|relie(?:f|ved)|hopeful|optimis|charm|flirt|flatter|giggly|laughing face|好心情|笑容|微笑|笑眯眯|笑着|带笑|含笑|笑意|笑笑|笑脸|笑(?!话|料|点|声)|嘴角.{0,3}(?:上扬|扬起|翘)|骄傲|自豪|感激|感谢|得意洋洋地笑|撒娇|卖萌|萌|可爱|俏皮|调皮|满足|满意|欣慰|松了?一?口气|ほほえ|微笑ん|微笑み|誇らし|面白そう|ほっと|밝게|밝은|뿌듯|흐뭇|장난스|자랑스|고마"),
        (0.6, r"(?:^|\b(?:be|look|feel|seem|sound|act|more|very|really|so|all|keep|stay|with a|and) )(?:it )?(?:bright|brightly|sunny|sweet|sweetly)\b"),
        (0.4, r"warm|friendl|kind(?:ly|ness|hearted)?\b|welcoming|content(?:ed|edly|ment)?\b|affection|lov(?:ing|ingly)\b|tender|inviting|pleasant|nice(?:ly)?\b|hospitab|gracious|sympathetic smile|compassion|温暖|亲切|友好|友善|和蔼|热情友好|温柔|和善|慈祥|欣赏|热情地(?:打招呼|欢迎|问好)|満足|優し|親しみ|温か|愛想|따뜻|친절|다정|상냥|부드럽게"),
        (0.3, r"confiden|self-assured|assured|assertive|自信|자신감|自信満々|자신 ?있"),
    ),
    "excitement": (
        (0.95, r"ecstatic|wild(?:ly)? excit|hyped|pumped|psyched|electrif|(?:going|go) (?:nuts|wild|bananas|crazy)|out of your mind with excite|bouncing off|超级兴奋|兴奋不已|兴奋不得了|中.{0,3}(?:彩票|大奖|头奖|头彩|五百万|一等奖)|夺冠|得了?冠军|热血沸腾|手舞足蹈|欢呼雀跃|激动万分|激动不已|激动人心|燃起来|燃爆|テンション|大興奮|ハイテンション|흥분의 도가니|열광"),
        (0.85, r"thrill|exhilarat|fired up|can(?:'t|not) (?:wait|contain)|(?:barely|hardly|can't) contain|stoked|buzzing|amped|raring|jump(?:s|ing)? (?:for joy|up and down)|full of beans|on fire\b|hype\b|激动|亢奋|高涨|鸡血|热火朝天|狂欢|炸场|欢呼|全场沸腾|躁起来|心潮澎湃|嗨翻|热血|嗨|燃|沸腾|起飞|飞起|打鸡血|迫不及待|雀跃|盛り上が|ノリノリ|들떠|들뜬|설레"),
        (0.75, r"excit|enthusias|energ(?:y|etic|ised|ized|ise|ize)|passionate|eager|lively|animated|zest|pep\b|peppy|bubbly|vivac|exubera|vibrant|zeal|spirited|upbeat and loud|dynamic(?:ally)?\b|rous(?:ed|ing)|hyper\b|party mood|兴奋|兴冲冲|兴致勃勃|斗志|干劲|摩拳擦掌|跃跃欲试|冲鸭|冲啊|尖叫|呐喊|热情|充满活力|激情|精力充沛|活力|活泼|热烈|澎湃|振奋|来劲|带劲|精神抖擞|神采飞扬|眉飞色舞|興奮|わくわく|ワクワク|元気|熱意|うきうき|熱く|張り切|신나|신난|신이 나|흥분|열정|활기|흥겹|에너지|기대에 찬"),
    ),
    "confusion": (
        (0.8, r"bewilder|perplex|baffl|flummox|(?:completely|totally|utterly) lost|stump(?:ed|s)\b|mystif|一头雾水|不知所措|无所适从|茫然|云里雾里|摸不着头脑|丈二和尚|百思不得其解|百思不解|莫名其妙|满脸问号|一脸问号|晕头转向|头が真っ白|頭が真っ白|何が何だか|ちんぷんかんぷん|訳が分から|わけがわから|영문을|어안이"),
        (0.65, r"confus|puzzl|unsure|uncertain|doubt|question(?:ing(?:ly)?|ingly)|quizzical|hesita|(?:don't|do not|doesn't|can't|cannot|didn't) (?:quite |really )?(?:understand|get (?:it|the|what|this|that|any)|follow|know what|make (?:sense|head)|figure|work (?:it|this|that) out|wrap)|makes? no sense|skeptic|sceptic|scratch(?:es|ing)?[- ](?:(?:your|her|his|the)[- ])?head|(?:be|look|get|feel|seem|a bit|little|you're|so|act|bit)(?:s|ing)? (?:\w+ )?lost\b|lost (?:your|the) (?:train|thread|plot)|(?:not|no) (?:sure|idea|clue)|clueless|unclear|wonder(?:s|ing)?\b|disorient|muddled|befuddle|dazed|huh\b|come again|wait,? what|what the (?:heck|hell)|dumb ?struck with doubt|curious|困惑|疑惑|迷茫|迷惑|不解|怀疑|犹豫|纳闷|懵|蒙圈|不知道(?:该|应该|要)?(?:怎么|如何|什么|说什么|咋)|没(?:太|怎么)?(?:听|看|搞|弄|想)(?:懂|明白|清楚?)|(?:什么|啥)(?:情况|意思)|发愣|发懵|蒙了|晕了|凌乱|似懂非懂|捉摸不透|左右为难|彷徨|一知半解|怎么会这样|搞不清|搞不懂|弄不懂|不明白|弄不明白|想不通|想不明白|看不懂|听不懂|不懂|糊涂|不确定|疑问|问号|狐疑|迟疑|好奇|摸不清|怎么回事|戸惑|困惑し|迷って|混乱|当惑|困っ|困り|疑問|不思議|分からな|わからな|首をひね|きょとん|ぽかん|疑わし|혼란|당황|어리둥절|의아|모르겠|갸우뚱|헷갈|의심|갈피|궁금|난처|곤란|알쏭달쏭"),
    ),
    "sadness": (
        (0.95, r"heart ?broken|broken[- ]hearted|devastat|grief|griev|inconsolable|in despair|despair|anguish|bawling|sobbing|去世|离世|过世|逝世|葬礼|追悼|永别|诀别|伤透|万念俱灰|心灰意冷|泪崩|悲痛欲绝|心碎|痛不欲生|哀伤欲绝|伤心欲绝|悲伤欲绝|撕心裂肺|肝肠寸断|嚎啕大哭|痛哭|泣不成声|泪流满面|以泪洗面|绝望|悲嘆|絶望|号泣|大泣き|오열|절망|통곡|비통"),
        (0.85, r"mourn|tearful|teary|tears?\b|cry(?:ing)?\b|cries\b|weep|sob\b|sobs\b|miserabl|misery|heartache|woe|(?:holding|hold|fight|choke?)(?:ing)? back (?:the )?(?:tears|sobs)|choked up|lump in (?:your|the) throat|wretched|悲痛|痛苦|泪光|泪目|红了?着?眼|眼眶|破防|哭|流泪|落泪|掉眼泪|眼泪|泪|苦笑|哽咽|抽泣|呜咽|心如刀割|心痛|しょんぼり|垂头丧气|愁眉苦脸|시무룩|풀이 죽|泣|涙|눈물|울먹|울(?:어|면|고|음|듯|상|적)"),
        (0.7, r"sad|sorrow|unhapp|depress|deject|gloom|hurt\b|hurts\b|lonel|forlorn|crest ?fallen|mournful|grim\b|sullen|glum|despond|downtrodden|dishearten|broken up|heavy heart|heavy-hearted|down in the (?:dumps|mouth)|under the weather|(?:feel|feeling|look|looking|be|seem|so|very|a bit|pretty) (?:really |a bit |so )?(?:down|low|blue)\b|long face|puppy[- ]eyes|pout|mope|moping|melanchol|分手|失恋|被甩|悲伤|伤心|难过|难受|忧伤|悲哀|哀伤|悲凉|黯然|神伤|凄|心塞|扎心|愁容|愁云|苦着脸|苦涩|心疼|同情|怜悯|可怜(?!巴巴地求)|惨|哭丧|悲从中来|想家|思念|凄凉|凄惨|伤感|哀愁|哀怨|心酸|酸楚|闷闷不乐|郁郁寡欢|不开心|不快乐|痛心|悲|哀|伤悲|委屈巴巴|悲し|哀し|寂し|さみし|切な|つら(?:い|そう)|辛(?:い|そう)|슬픈|슬프|슬픔|슬퍼|슬픈|우울|외로|괴로|서글|서럽|침울"),
        (0.5, r"disappoint|down(?:cast|hearted|beat)|regret|somber|sombre|wistful|upset|sympath|homesick|nostalg|resign(?:ed|ation)|ashamed|shame|guilt|remorse|apolog|pity|bittersweet|let down|rueful|tired|exhausted|weary|worn out|drained|sleepy|颓废|颓丧|没精打采|无精打采|有气无力|消沉|失意|emo|忧郁|失望|沮丧|遗憾|惋惜|失落|低落|委屈|惆怅|怅然|郁闷|愁|内疚|愧疚|惭愧|抱歉|疲惫|无奈|落寞|孤独|寂寞|不高兴|不太高兴|不太开心|不怎么高兴|不怎么开心|不愉快|不乐意|丧(?!命|失)|心情不好|心情不太好|情绪低落|泄气|灰心|がっかり|残念|憂鬱|落ち込|失望|申し訳な|後悔|疲れ|실망|아쉬|미안|후회|지친|속상|섭섭|서운"),
    ),
    "surprise": (
        (0.9, r"astonish|shock|stun(?:ned|ning)?\b|flabbergast|jaws?[- ](?:drop|hits|on the floor)|(?:your|her|his|with|the) (?:\w+ )?jaws? (?:drop|hits|falls?|hanging|dropped)|dumbfound|dumbstruck|thunderstruck|gob ?smack|blown away|mind[- ]?blow|eyes (?:pop|bulge)|bombshell|震惊|倒吸.{0,3}[凉冷]气|傻眼|张口结舌|张大(?:了)?嘴|大跌眼镜|惊艳|惊掉|大吃一惊|目瞪口呆|惊呆|瞠目结舌|惊掉下巴|下巴.{0,4}掉|惊得|大惊失色|震撼|呆住|愣住|衝撃|唖然|あ然|仰天|愕然|目を丸く|目を見開|눈이 휘둥그레|경악|충격|입을 (?:떡|쩍)"),
        (0.75, r"surpris|amaz|startl|awe\b|awestruck|disbelief|incredul|can't believe|cannot believe|hard to believe|unbelievabl|wow\b|whoa|astound|speechless|taken aback|caught off[- ]guard|off guard|(?:did|do)(?:n't| not) (?:see|expect)(?: \w+)? (?:that |it |this )?(?:coming)?|out of (?:nowhere|the blue)|unexpected|wide[- ]eyed|wide eyes|eyes wide|widen (?:your|the) eyes|double[- ]take|gasp|no way|what (?:on earth|in the world)|omg|oh my god|knocked (?:\w+ )?(?:over|for six)|不会吧|什么[！!]|我的天|老天|妈呀|哇塞|真的假的|猝不及防|始料未及|突如其来|匪夷所思|叹为观止|难以想象|惊讶|吃惊|惊奇|诧异|意外|惊喜|惊叹|惊愕|惊异|错愕|吓一跳|吓了(?:我|你|他|她)?一?大?跳|不可思议|难以置信|不敢相信|不敢置信|万万没想到|没想到|想不到|出乎意料|瞪大(?:了)?(?:双)?眼|睁大(?:了)?(?:双)?眼|眼睛瞪|竟然|居然|又惊又喜|天(?:哪|呐|啊)|哇|驚|びっくり|意外そう|えっ|まさか|信じられない|ビックリ|놀란|놀라|놀람|깜짝|헉|믿을 수 없|뜻밖|세상에"),
    ),
    "anger": (
        (0.95, r"furious|fury|enrag|livid|fuming|rage\b|raging|irate|outrag|seeth|incensed|infuriat|apoplectic|(?:boiling|burning|blind|explod\w*) with (?:rage|anger)|los(?:e|ing) (?:(?:your|my|his|her) (?:temper|cool|rag|mind|patience)|it(?! (?:on|in)))|blow(?:ing)? (?:your|a|my) (?:top|fuse|stack)|(?:hit|go through) the roof|see(?:ing)? red|mad as hell|hopping mad|blood (?:is )?boil|steam(?:ing)? (?:is |comes? |coming )*(?:out|from)|气急败坏|忍无可忍|拍案而起|气不打一处来|欺人太甚|岂有此理|暴怒|狂怒|大怒|怒不可遏|火冒三丈|咬牙切齿|勃然大怒|怒火|激怒|暴跳如雷|气炸|气疯|气死|雷霆大怒|怒发冲冠|七窍生烟|大发雷霆|怒吼|咆哮|激しく怒|ブチギレ|ぶち切れ|激怒|かんかん|カンカン|腹が立|頭に来|怒り狂|열받|격노|분노|격분|노발대발|화가 치밀"),
        (0.75, r"ang(?:er|ry|rily|rier|riest)|mad\b|pissed|hostile|aggressi|indignant|indignation|wrath|bitter(?:ly)?\b|rant|yell|shout(?:ing)? at|scold|glare|glaring|glower|scowling at|fierce|ferocious|menac|threaten|hateful|hatred|spite|venom|resent|vengeful|heated|snarl|growl|fed up|had (?:it|enough)|sick of|ticked off|teed off|cheesed off|worked up|up in arms|斥责|训斥|呵斥|怒斥|吼|拍桌|翻脸|横眉|吹胡子|受够|够了|可恶|混蛋|窝火|上火|冒火|狰狞|愤|愤怒|生气|恼火|愤慨|发火|恼怒|气愤|愤恨|愤愤|怒视|又气|怒气|怒|愠|气冲冲|气呼呼|气鼓鼓|气得|火气|火大|发飙|发脾气|瞪(?!大|圆)|凶巴巴|凶狠|凶|仇恨|憎恨|(?<![遗])恨(?!不得)|动怒|来气|不爽|骂|质问|怒って|怒り|怒る|怒っ|怒|腹を立て|ムカ|むかつ|キレ|睨|にらむ|にらん|憤|화난|화가|화를|화내|화났|화나|성난|성나|성을 내|노려|빡"),
        (0.4, r"annoy|irritat|frustrat|stern(?:ly)?\b|cross\b(?! (?:the|your|my|over|to))|grump|grouch|cranky|crabby|testy|touchy|tetchy|moody|sulk|impatien|displeas|irked|irk\b|peev|vex|miffed|bother(?:ed)?\b|exasperat|disgruntl|huffy|strict|disapprov|unamused|not amused|aggravat|bristl|没耐心|闹情绪|甩脸|烦躁|不耐烦|不满|恼|严厉|(?<!麻)烦|急躁|暴躁|赌气|没好气|埋怨|责怪|抱怨|不悦|黑着?脸|臭着?脸|拉着?脸|撅嘴|イライラ|いらいら|苛立|不機嫌|ムッと|むっと|不満|うざ|짜증|언짢|불쾌|못마땅|퉁명|불만|답답"),
    ),
    "fear": (
        (0.95, r"terrif|petrif|panic|horrif|scared (?:to death|stiff|out|witless|silly)|terror|frightened (?:to death|out)|scream(?:ing)? (?:in|with) (?:fear|terror)|blood[- ]?curdl|horror|恐慌|惊恐|见了?鬼|撞鬼|闹鬼|鬼魂|恐怖片|被.{0,4}追杀|魂飞魄散|吓坏|吓死|惊慌失措|惊慌|屁滚尿流|魂不附体|面无血色|面如土色|毛骨悚然|冷汗|惊魂|魂.{0,2}[没掉]|心有余悸|不寒而栗|心惊肉跳|胆战心惊|惊骇|战栗|怕得要命|恐怖に|恐怖で|怯えきっ|パニック|震え上が|공포에 질|겁에 질|기겁|소름|패닉"),
        (0.75, r"afraid|scared|scary|fear(?!less)|fright|dread|alarmed|spook|cower|trembl|tremor|shak(?:e|ing) (?:with fear|in (?:your|my|his|her) boots|like a leaf)|quak|quiver|creeped out|white as a (?:sheet|ghost)|heart (?:in (?:your|my) mouth|pounding)|run for your life|haunted|phobi|danger|(?:后背|背后|背脊|脊背).{0,2}[发一]凉|腿.{0,2}软|鬼(?!脸|马|才|混)|怪物|救命|战战兢兢|畏缩|瑟缩|缩成一团|不敢(?:看|动|出声|说话|抬头)|恐(?!怕|龙)|害怕|恐惧|恐怖|畏惧|惧怕|可怕|(?<![恐哪])怕|吓|惊惧|发抖|颤抖|哆嗦|瑟瑟|惶恐|胆寒|心惊|后怕|怖|恐れ|怯え|おびえ|ビビ|びびっ|震え|ぞっと|무서|두려|공포|겁|떨(?:며|면서|리|고)|오싹|벌벌|섬뜩"),
        (0.45, r"nervous|anxious|anxiety|worr(?:y|ied|ies|ying|isome)|uneas|tense(?:d)?\b|timid|apprehensi|concern(?:ed)?\b|stress(?:ed)?\b|jitter|on edge|edgy|jumpy|skittish|shy(?:ly)?\b|bashful|embarrass|awkward|insecure|cautious|wary|butterflies|cold feet|antsy|restless|agitated|flustered|paranoid|distress|self-conscious|sheepish|on pins and needles|sweating bullets|手心.{0,2}汗|心跳加速|生怕|吞吞吐吐|怂|紧张|焦虑|担心|担忧|不安|七上八下|慌|提心吊胆|忐忑|惴惴|坐立不安|心神不宁|忧心|忧虑|胆怯|胆小|怯|局促|害羞|尴尬|难为情|羞涩|心虚|着急|焦急|发愁|捏了?把汗|ビクビク|びくびく|心配|緊張|不安|焦っ|焦り|おどおど|ドキドキ|そわそわ|ハラハラ|恥ずかし|불안|걱정|긴장|초조|떨면서|조마조마|쑥스|부끄|소심|안절부절|민망"),
    ),
    "disgust": (
        (0.9, r"revolt(?:ed|ing)|revulsion|repuls|nausea|sicken|vomit|throw(?:ing)? up|puk(?:e|ing)|retch|gag(?:ging)?\b|vile|倒胃|作呕|难以下咽|鸡皮疙瘩|恶心至极|恶心死|反胃|令人作呕|想吐|要吐|吐了(?!吐)|呕|腐った|反吐|吐き気|吐きそう|구역질|토할|토 ?나"),
        (0.75, r"disgust|gross(?:ed)?\b|yuck|yucky|eww*\b|ick\b|icky|ugh\b|distaste|repell|appall|nasty|foul\b|stink|stinky|stench|smelly|rotten|rancid|putrid|mould|mold|slim(?:y|e)|filth|abhor|loath|detest|squeamish|queasy|bad (?:smell|taste)|turn(?:s|ing)? (?:your|my|the) stomach|skin crawl|wrinkl(?:e|es|ing) (?:your|the|her|his) nose|(?:捏|掩|捂)(?:着|住)?鼻|发霉|腐烂|膈应|辣眼睛|呸|虫子|粪|屎|厌恶|恶心|嫌弃|反感|讨厌|嫌恶|嫌|臭|难闻|难吃|好脏|脏|腥|变质|馊|蟑螂|苍蝇|捂住?鼻|嫌悪|気持ち悪|気味悪|きもい|キモ|うんざり|汚い|臭い|臭そう|まずそう|역겨|혐오|썩은 냄새|질색|징그|더러|불결|메스꺼"),
    ),
    "contempt": (
        (0.75, r"contempt|scorn|disdain|sneer|despis|derisi|derid|scoff|look(?:s|ing)? down (?:on|at (?:them|him|her|those|these|everyone|people)\b|(?:your|her|his|their|the) nose)|roll(?:s|ing)? (?:your|her|his|their|my) eyes|eye ?rolls?|like (?:they're|they are|he's|she's) (?:dirt|nothing|beneath|trash|garbage|idiots?|an idiot)|belittl|taunt|ridicul|jeer|轻蔑|鄙视|高高在上|(?:放|看)在眼里|不可一世|盛气凌人|居高临下|斜眼|斜着眼|冷嘲热讽|讥笑|不值一提|目空一切|瞧不上|看不上|藐视|皮笑肉不笑|嗤之以鼻|嗤笑|嗤|蔑视|鄙夷|看不起|瞧不起|看扁|不屑|不屑一顾|翻.{0,3}白眼|白眼|轻视|鼻孔朝天|鼻で笑|小馬鹿|バカにし|馬鹿にし|軽蔑|見下|さげす|蔑|侮|코웃음|경멸|멸시|업신|깔보|얕보|무시하"),
        (0.55, r"smug|mock|condescen|superior(?:ity)?\b|arrogan|haught|dismissi|snide|smirk|snob|cocky|sarcas|cynical|snooty|supercilious|patroni[sz]|pompous|pretentious|stuck[- ]up|high and mighty|holier[- ]than|unimpressed|not impressed|couldn't care less|could not care less|above it all|snicker|boastful|self-satisfied|as if(?=\W*$)|撇嘴|撇了?撇嘴|哼(?!唱|歌|曲)|就这|不配|傲娇|傲(?!然)|爱答不理|懒得理|自命不凡|小瞧|小看|傲慢|嘲讽|讥讽|讽刺|冷笑|高傲|得意|自大|目中无人|阴阳怪气|趾高气扬|狂妄|嘲弄|嘲笑|挖苦|不以为然|呵呵|拽|优越|冷眼|傲慢な|嘲笑|あざけ|得意げ|偉そう|皮肉|ドヤ|生意気|바보 취급|거만|비웃|오만|조롱|건방|빈정|잘난 ?척|비아냥|썩소"),
    ),
}  # fmt: skip

_YOUR = r"(?:(?:the|your|ur|her|his|their|my|its) )?"
_SIDE = r"(?:(?:to|toward|towards|over|over to|at|on) )?(?:(?:the|your|her|his|their) )?(?:own )?"
_GLANCE = r"(?:look|glanc|gaz|peer|peek|star|glimps|squint)(?:e|es|s|ing|ed)?"
_BUT_CAMERA = r"(?:(?!camera|pan|zoom|shot|lens|frame|turn|lean|tilt|then|your nose)[\w'-]+ ){0,5}?"
_TURN = rf"(?:turn|rotat|swivel|fac|twist|pivot)(?:e|es|s|ing|ed)? {_YOUR}(?:(?:head|face|gaze|body|chin) )?(?:(?:a (?:bit|little)|slightly|slowly|quickly|gently) )?(?:around )?"
_A = r"(?:了|一|两|三|几|点|个|下|着|次|又|再)*"

ACTIONS: dict[str, str] = {
    "nod": rf"nod|(?:mov|bob|dip)(?:e|es|ing|s|bing|ping)? {_YOUR}head up and down|bob(?:s|bing)? {_YOUR}head|yes without words|say(?:s|ing)? yes with|(?:head )?nods?|点{_A}头|點頭|点头|颔首|頷首|うなず|うなづ|頷|首を縦|고개를 끄덕|끄덕|고갯짓",
    "shake": rf"shak(?:e|es|ing) {_YOUR}(?:head|noggin)|head ?-?shak|say(?:s|ing)? no with|(?:mov|turn|swing|wag)(?:e|es|ing|s|ging)? {_YOUR}head (?:from )?(?:side to side|left and right|left to right|back and forth)|摇{_A}头|搖頭|头(?:轻轻|慢慢)?(?:地)?摇|直摇头|摆头|首を横|首を振|かぶりを振|首をふる|首ふり|頭を振|고개를 (?:좌우로 )?(?:젓|저|절레|가로)|고개를 흔들|도리|절레절레|고개를 내저",
    "tilt": rf"(?:tilt|cock|inclin|tip|lean)(?:e|es|s|ing|ed|ping)? {_YOUR}head|head ?-?tilt|tilted head|tilt of (?:the|your) head|head (?:to (?:the|one) side|on one side|cocked|tilted)|歪{_A}(?:着)?(?:头|脑袋)|(?:头|脑袋)(?:微微|轻轻|稍微)?(?:往|向)?(?:一边|一侧|左|右)?歪|侧{_A}头|偏{_A}头|首をかしげ|首を傾|小首|頭を傾|고개를 갸우뚱|고개를 (?:살짝 )?(?:기울|갸웃)|갸웃|고개를 옆으로 기울",
    "turn_left": rf"{_TURN}{_SIDE}left|向左转|左转|转向左|往左转|朝左转|(?:头|脸|身子|身体|脑袋)(?:慢慢|轻轻)?(?:地)?(?:转)?(?:向|往|朝|转到|转向)左(?:边|侧|面)?(?:转|扭|偏)?|(?:向|往|朝)左(?:边|侧|面)?(?:慢慢|轻轻|稍微|微微)?(?:地)?(?:转|扭|侧)|左を向|左に(?:顔を)?向|左へ(?:顔を)?向|左向|顔を左|왼쪽으로 (?:고개를 |몸을 |얼굴을 )?(?:돌|틀)|(?:고개|얼굴|몸|머리)를 왼쪽으로",
    "turn_right": rf"{_TURN}{_SIDE}right\b(?! (?:now|away|at the|before|after))|向右转|右转|转向右|往右转|朝右转|(?:头|脸|身子|身体|脑袋)(?:慢慢|轻轻)?(?:地)?(?:转)?(?:向|往|朝|转到|转向)右(?:边|侧|面)?(?:转|扭|偏)?|(?:向|往|朝)右(?:边|侧|面)?(?:慢慢|轻轻|稍微|微微)?(?:地)?(?:转|扭|侧)|右を向|右に(?:顔を)?向|右へ(?:顔を)?向|右向|顔を右|오른쪽으로 (?:고개를 |몸을 |얼굴을 )?(?:돌|틀)|(?:고개|얼굴|몸|머리)를 오른쪽으로",
    "look_left": rf"{_GLANCE} (?:off )?{_BUT_CAMERA}(?:camera |stage )?left\b|(?:eyes?|gaze) {_BUT_CAMERA}left\b|(?:向|往|朝)左(?:边|侧|面|方)?(?:瞟|瞥|望|瞧|瞄|偷|扫|看)|(?:看|瞟|瞥|望|瞧|瞄|瞅|扫)(?:一?下|一眼|了一眼|看|向|着|到|往)*(?:你的?|自己的?)?左|左(?:边|侧|面|方)?(?:看|瞟|瞥|望|瞧)|(?:眼睛|目光|视线|眼神).{{0,3}}?(?:向|往|朝|看|瞟|移|望|转|瞥).{{0,2}}左|左(?:の\w+)?(?:を|の方を|側を)(?:見|ちら|チラ)|左に目|目線を左|視線を左|目を左|왼쪽(?:을|에 있는 .{{0,8}}|의 .{{0,8}}|으로)? ?(?:힐끗 |살짝 |흘끗 )?(?:봐|보|쳐다|바라|흘끗|힐끗)|왼쪽으로 (?:눈|시선)|시선을 왼쪽|눈을 왼쪽",
    "look_right": rf"{_GLANCE} (?:off )?{_BUT_CAMERA}(?:camera |stage )?right\b(?! (?:now|away|at|into|in|through|before|after))|(?:eyes?|gaze) {_BUT_CAMERA}right\b(?! (?:now|away|at|into))|(?:向|往|朝)右(?:边|侧|面|方)?(?:瞟|瞥|望|瞧|瞄|偷|扫|看)|(?:看|瞟|瞥|望|瞧|瞄|瞅|扫)(?:一?下|一眼|了一眼|看|向|着|到|往)*(?:你的?|自己的?)?右|右(?:边|侧|面|方)?(?:看|瞟|瞥|望|瞧)|(?:眼睛|目光|视线|眼神).{{0,3}}?(?:向|往|朝|看|瞟|移|望|转|瞥).{{0,2}}右|右(?:の\w+)?(?:を|の方を|側を)(?:見|ちら|チラ)|右に目|目線を右|視線を右|目を右|오른쪽(?:을|에 있는 .{{0,8}}|의 .{{0,8}}|으로)? ?(?:힐끗 |살짝 |흘끗 )?(?:봐|보|쳐다|바라|흘끗|힐끗)|오른쪽으로 (?:눈|시선)|시선을 오른쪽|눈을 오른쪽",
    "look_up": rf"{_GLANCE} (?:\w+ly )?(?:up(?:ward|wards)?|(?:at|to|toward|towards) the (?:ceiling|sky|stars|heavens|clouds|moon))\b(?! (?:to|the road))|(?:rais|lift)(?:e|es|ing|s)? {_YOUR}(?:gaze|eyes|head|chin)|eyes (?:{_SIDE}(?:ceiling|sky|heaven)|up(?:ward|wards)?)|chin up|head up|抬{_A}头|抬起?(?:眼|目光|下巴)|仰{_A}(?:头|望|面|脸|视)|(?:向|往|朝)(?:上|天|天上|天空)(?:方)?(?:看|望|瞧|瞟|瞥|瞄)|(?:看|望)(?:着|向|一下|一眼)*(?:天花板|天空|天上|天|上方|上面|星)|(?:眼睛|目光|视线|眼神).{{0,3}}?(?:向|往|朝|看|瞟|移|望|转|瞥).{{0,2}}上|上看|仰視|見上げ|上を見|上を向|天井を|空を|目線を上|視線を上|위(?:를|로|쪽을|쪽으로)? ?(?:봐|보|쳐다|바라|올려)|올려다|천장을|하늘을|고개를 (?:위로 )?(?:들|젖)|시선을 위",
    "look_down": rf"{_GLANCE} (?:\w+ly )?(?:down(?:ward|wards)?(?! (?:your|the|his|her|on) (?:nose)| on)|(?:at|to|toward|towards) (?:the|your) (?:floor|ground|desk|table|feet|keyboard|hands|shoes)|at (?:your|her|his|their|the) (?:notes?|papers?|script|phone|feet|shoes|watch|lap|hands|cards?|keyboard|desk))\b|(?:lower|drop|cast|dip|bow|hang)(?:s|ping|ing)? (?:down )?{_YOUR}(?:gaze|eyes|head|chin)|eyes (?:{_SIDE}(?:floor|ground|desk|table)|down(?:ward|wards|cast)?)|head (?:down|bowed|low)|check(?:s|ing)? (?:your|the|her|his) (?:phone|notes?|watch|script|cards?)|read(?:ing)? from (?:your|the) (?:notes?|script|paper)|chin down|低{_A}头|低下头|垂{_A}(?:头|眼|下头|下眼)|(?:向|往|朝)(?:下|地上|地面|桌)(?:方)?(?:看|望|瞧|瞟|瞥|瞄)|(?:看|望|盯)(?:着|向|一下|一眼|了|看)*(?:自己的?|你的?|手里的?|手中的?|手上的?)?(?:地板|地面|地上|脚|下方|下面|桌面|桌子|手机|稿子|稿|提词|笔记)|(?:眼睛|目光|视线|眼神).{{0,3}}?(?:向|往|朝|看|瞟|移|望|转|瞥).{{0,2}}下|下看|俯视|俯首|埋头|うつむ|俯い|下を見|下を向|見下ろ|手元を見|床を|足元|原稿を|目線を下|視線を下|目を伏せ|아래(?:를|로|쪽을|쪽으로)? ?(?:봐|보|쳐다|바라|내려)|내려다|고개를 (?:푹 )?(?:숙|떨|내)|바닥을|시선을 (?:아래|내)|대본을|원고를",
    "lean_in": rf"lean(?:s|ing|t)? (?:\w+ly |a (?:bit|little) |right )?(?:in|forward|closer|toward|towards|into|over)|(?:mov|com|get|inch|scoot|draw)(?:e|es|ing|ting|s)? (?:(?:your|the) (?:face|head) )?(?:a (?:bit|little) |in )?(?:closer|nearer)(?! shot)|bend(?:s|ing)? forward|前倾|身体前倾|凑{_A}(?:近|到|上|过来|前)|靠近|探{_A}(?:身|过来|头过来)|(?:往|向|朝)前(?:靠|倾|凑|探|挪|一点)|贴近|(?:身子|身体)(?:往|向|朝)前|身を乗り出|前のめり|前かがみ|前に(?:傾|乗り出|出)|近づ(?:く|いて|け)|顔を近|몸을 앞으로|앞으로 (?:기울|숙|몸)|다가|가까이 (?:와|다가|오)|몸을 기울",
    "lean_back": r"lean(?:s|ing|t)? (?:\w+ly |a (?:bit|little) |right )?(?:back|away|backward|backwards)|(?:sit|settle|rock|kick|lay|slouch)(?:s|ting|ing)? back|pull(?:s|ing)? (?:your (?:head|face) )?(?:back|away)(?= from (?:the camera|it|them|me))|recline|recoil|后仰|身体后仰|(?:往|向|朝)后一?(?:靠|仰|倾|退|挪|坐|倒)|后倾|(?:靠|仰)(?:到|在|向|着|回)*(?:椅|座|沙发|后)|(?:身子|身体)(?:往|向|朝)后|のけぞ|身を引|後ろに(?:もたれ|反|下が|倒)|背もたれ|椅子にもたれ|몸을 뒤로|뒤로 (?:젖|기대|물러|몸|기울)|등받이|의자에 기대",
    "shrug": rf"shrug|shoulders up|(?:rais|lift|hunch|scrunch)(?:e|es|ing|s)? {_YOUR}shoulders|耸{_A}肩|聳肩|耸肩|肩膀.{{0,4}}耸|双手一摊|摊{_A}手|肩をすくめ|肩をあげ|肩を上げ|어깨를 (?:으쓱|들썩|올)|으쓱",
    "raise_brows": rf"(?:rais|lift|arch|wiggl|quirk|pop|waggl)(?:e|es|ing|s|ed|ping)? {_YOUR}(?:(?:one|an|both|two|a|up) )?(?:of your )?(?:eye ?)?brows?|(?:eye ?)?brows? (?:up|raised|high|lifted|arched)|(?:raised|arched) (?:eye ?)?brow|挑{_A}(?:起)?眉|扬{_A}(?:起)?眉|抬{_A}(?:起)?眉|眉毛(?:上扬|.{{0,2}}[挑扬抬])|眉を(?:上げ|つり上げ|あげ|吊り上げ|ぴくっと)|片眉|眉毛を(?:上げ|あげ)|눈썹을 (?:살짝 |한쪽 )?(?:올|치켜|들|씰룩)",
    "frown": rf"frown|scowl|grimac|(?:furrow|knit|crease|wrinkl|scrunch|pull)(?:e|es|s|ting|ing|ed)? {_YOUR}(?:(?:eye ?)?brows?|forehead)(?: together)?|(?:furrowed|knitted|creased) (?:eye ?)?brows?|(?:eye ?)?brows? (?:furrowed|down|together|knitted)|皱{_A}(?:起|着|紧)*眉|皺眉|眉头(?:紧锁|一皱|微皱|.{{0,2}}皱|紧)|蹙眉|拧{_A}(?:着|起)?眉|锁眉|眉をひそめ|眉をしかめ|眉間|眉を寄せ|しかめ|顔をしかめ|눈살을 찌푸|눈썹을 찌푸|찌푸|찡그|미간",
    "wink": rf"wink|(?:clos|shut)(?:e|es|ing|s|ting)? one eye|眨{_A}(?:一?只|左|右|单)?眼|(?:单|一只)眼.{{0,2}}眨|抛{_A}媚眼|使眼色|使个眼色|放电|ウインク|ウィンク|片目|윙크|한쪽 눈|눈을 찡긋|찡긋",
    "close_eyes": rf"(?:clos|shut)(?:e|es|ing|s|ting)? {_YOUR}(?:both )?(?:eyes|eyelids)|eyes (?:closed|shut)|(?:closed|shut) eyes|闭{_A}(?:上|着|起|紧)*(?:双|你的|你)?(?:眼|目)|閉眼|闭目|合{_A}(?:上|着)?(?:双)?眼|(?:眼睛|双眼|双目)(?:轻轻|慢慢|微微|都|也)?(?:地)?(?:闭|合)|目を(?:閉|つぶ|とじ|つむ)|瞼を閉|눈을 (?:살짝 |꼭 |잠시 |잠깐 |지그시 )?감|눈 (?:좀 )?감|두 눈을 감",
    "laugh": r"laugh|chuckl|giggl|cackl|guffaw|crack(?:s|ing)? up|burst(?:s|ing)? (?:out laughing|into laughter)|roar(?:s|ing)? with laughter|in stitches|lmao|rofl|大笑|哈哈(?:哈)*(?:大)?(?:笑)?|笑出声|笑出来|狂笑|爆笑|前仰后合|捧腹|哄笑|发笑|大声笑|轻笑|偷笑|噗嗤|扑哧|笑个不停|笑得前仰后合|笑得停不下来|笑得直不起腰|大笑い|爆笑|くすくす|クスクス|げらげら|ゲラゲラ|声を(?:出|上げ|立て)て笑|吹き出|吹き出し|笑い声|笑い出|(?:크게|소리 ?내어|깔깔|하하|껄껄|큰 ?소리로|킥킥|배꼽 잡고|호탕하게) ?(?:대고 )?웃|웃음을 터뜨|웃음을 터트|폭소|빵 터",
    "sigh": r"sigh|exhal(?:e|es|ing)(?: (?:deeply|heavily|slowly))?|(?:heave|let out|draw)(?:s|ing)? (?:a |out a )?(?:long |big |deep |heavy )*(?:sigh|breath)|deep breath|breath(?:e|es|ing) out|huff|叹{_A}(?:了|一|口|长)*气|嘆氣|叹息|叹{_A}气|长叹|长吁短叹|唉声叹气|深呼吸|深吸.{0,2}气|吐.{0,2}口气|ため息|溜息|ためいき|嘆息|息を吐|深呼吸|한숨|심호흡|숨을 (?:내|깊)".replace("{_A}", _A),
    "wave": rf"wav(?:e|es|ing)(?: {_YOUR}(?:hands?|arms?)| (?:hello|goodbye|at|to|bye|hi))?\b|挥{_A}手|揮手|招{_A}手|挥动|摆{_A}手|手挥|手を振|手をふ|バイバイ|손을? ?(?:좀 )?(?:흔|휘)|손 흔|손 ?인사",
    "raise_hand": rf"(?:rais|lift|put|hold|stick|throw)(?:e|es|ing|s|ting)? (?:up )?{_YOUR}(?:(?:a|one|right|left) )?(?:hands?|arms?)(?: up| in the air| high)?|hands? (?:up|raised|in the air)|举{_A}(?:起|个|高|一只|右|左|双)*手|舉手|抬{_A}(?:起)?手|手举|手を(?:挙|上|あ)げ|挙手|손을 (?:번쩍 |높이 )?(?:들|올)|손 (?:번쩍 )?들",
    "point": r"point(?:s|ing)? (?:(?:your|a|the) finger |your hand )?(?:at|to|toward|towards|out|up|down|left|right|with|straight|directly|over)|point(?:s|ing)? (?:your|a) finger|gestur(?:e|es|ing) (?:at|to|towards?)|^point(?:ing)?$|指{_A}(?:向|着|一指|指|下|一下|了指|镜头|屏幕|观众|我|他|右|左|上|下|那|这)|用手指|手指(?:向|着)|指点|指さ|指差|指を指|指で|가리키|가리켜|손가락질|손가락으로".replace("{_A}", _A),
    "clap": rf"clap|applau|鼓{_A}(?:个)?掌|拍{_A}(?:起|拍)?(?:手|巴掌|掌)(?!机)|掌声|拍手|手を(?:叩|たた)|박수|손뼉|짝짝",
}  # fmt: skip

_CAMERA = r"(?:(?:the )?(?:camera|shot|frame|view|lens) )?(?:(?:slow|quick|fast|gentl|steadi|gradual|smooth|sudden|rapid|dramatic)\w* )?"
_LENS = "(?:镜头|画面|机位|摄像机|相机|摄影机|视角)"
_HOW = "(?:再|请|要|给我|慢慢|缓缓|缓慢|快速|逐渐|迅速|轻轻|稍微|猛地|突然|一点点|慢速|匀速|平稳|地|的|往回|开始|一直|跟着|来个|来一个|一下|持续)*"
_CAM_JA = "(?:カメラ|画面|ショット|映像)(?:を|が|は|で)?(?:ゆっくり|素早く|すばやく|さっと|急に|少し|徐々に|もっと|と)*"
_CAM_KO = "(?:카메라|화면|앵글|샷)(?:를|을|가|이|는)? ?(?:천천히 |빠르게 |서서히 |살짝 |조금 |갑자기 |확 )*"
CAMERA_MOVES: dict[str, str] = {
    "zoom_in": rf"{_CAMERA}zoo?m(?:s|ing)?(?: \w+ly| right| way| all the way| a (?:bit|little))? (?:in|into|on|onto|closer|towards?)\b|(?:camera )?(?:push|doll(?:y|ies)|track|creep|mov|go|drift|inch|com|crash|punch)(?:s|ing|es|e)?(?: \w+ly)? (?:in|into)\b(?= |$|,|on|tight|close)|(?:camera|shot|frame|lens)(?: \w+)? (?:push|mov|com|creep|drift|inch|get|glid|go|ris|fly|flies|rush|crawl|step)(?:e|es|s|ing|ting)?(?: \w+ly| a (?:bit|little))? (?:in|closer|nearer|forward|towards?|up close)|close[- ]?up|extreme close|(?:closer|tighter|tight) (?:shot|frame|framing|crop|in|on)|(?:bring|mov|get|tak|let)(?:e|ing|ting|s)? (?:the |that )?(?:camera|shot|frame|lens)(?: \w+)? (?:\w+ )?(?:closer|nearer|in\b|forward|up close)|camera (?:\w+ )?(?:closer|nearer)|(?:push|punch)(?:es|ing)? in|crop in|tighten (?:up )?(?:the |on )(?:shot|frame|my|her|his|your)|zoom (?!out|back|away)|zoom$|推近|拉近|{_LENS}{_HOW}(?:推|靠近|贴近|凑近|拉近|往前|向前|前推|推进|推上)|推(?:个|一个|一下)?镜头?|推镜|特写|(?<!眼睛)放大|近景|近一点的?镜头|ズーム(?!アウト)(?:イン)?|寄って|寄る|寄せ|寄り|アップ(?:に|で|を)|クローズアップ|{_CAM_JA}(?:近づ|寄)|줌 ?인|줌(?!.{{0,2}}아웃)(?:을)? ?(?:해|당)|확대|클로즈업|{_CAM_KO}(?:가까이|다가|당겨|당기)",
    "zoom_out": rf"{_CAMERA}(?:zoo?m(?:s|ing)?|doll(?:y|ies)|pull(?:s|ing)?|back(?:s|ing)?|track)(?: \w+ly| way| right| all the way| a (?:bit|little))? (?:out|back|away|off|up)\b|(?:pull|mov|bring|tak|draw)(?:s|ing|e|es)? (?:(?:the|your) )?(?:camera|shot|frame|lens)(?: \w+)? (?:\w+ )?(?:out|back|away|further|farther|off)|(?:camera|shot|frame|lens)(?: \w+ly)? (?:(?:pull|mov|go|drift|back|fall|draw|retreat|glid|creep|com|get)(?:s|ing|e|es|ting)? )?(?:\w+ly )?(?:back|away|out|off|further|farther|backwards?|wider)|retreat(?:s|ing)? (?:the )?camera|wid(?:e|er|est)(?:[- ]angle)? (?:shot|view|angle|frame|framing)|(?:go|get|cut) (?:to )?(?:a )?wid(?:e|er)|show more of (?:the )?(?:room|scene|background)|long shot|拉远|拉遠|{_LENS}{_HOW}(?:拉开|后退|拉远|后拉|往后|向后|退|远离|拉出|变远|远)|拉镜|缩小|全景|远景|广角|ズームアウト|引いて|引きの|引き(?:で|に)|{_CAM_JA}(?:引|遠ざ|離)|줌 ?아웃|축소|{_CAM_KO}(?:멀|뒤로|물러|빼)|멀리서",
    "pan_left": rf"{_CAMERA}pan(?:s|ning|ned)?(?: (?:the|your) (?:camera|shot|frame|view))?(?: (?:across|over|slowly|quickly|gently|smoothly|around|fast|slow|a bit|\w+ly))*(?: {_SIDE}|\s?)left|(?:camera|shot|frame|lens|view)(?: \w+ly)? (?:mov|slid|go|turn|swing|drift|glid|shift|sweep|track|travel|swivel)(?:e|es|s|ing|ting)? (?:\w+ly )?(?:over )?{_SIDE}left|(?:mov|slid|turn|swing|shift|sweep|track|swivel|drift)(?:e|es|s|ing)? (?:the |your )(?:camera|shot|frame|view|lens)(?: \w+ly)? (?:over )?{_SIDE}left|{_LENS}{_HOW}(?:向|往|朝|从右(?:边)?(?:向|往|到|移到)|移到|转到|转向|摇向|摇到|平移到|移向)?左|左摇镜|向左(?:平移|摇镜|摇移|横移)|{_CAM_JA}左|左に(?:ゆっくり)?(?:パン|カメラ)|左へ(?:ゆっくり)?(?:パン|カメラ)|{_CAM_KO}왼|왼쪽으로 (?:천천히 |빠르게 )?(?:패닝|팬|카메라)",
    "pan_right": rf"{_CAMERA}pan(?:s|ning|ned)?(?: (?:the|your) (?:camera|shot|frame|view))?(?: (?:across|over|slowly|quickly|gently|smoothly|around|fast|slow|a bit|\w+ly))*(?: {_SIDE}|\s?)right\b|(?:camera|shot|frame|lens|view)(?: \w+ly)? (?:mov|slid|go|turn|swing|drift|glid|shift|sweep|track|travel|swivel)(?:e|es|s|ing|ting)? (?:\w+ly )?(?:over )?{_SIDE}right\b|(?:mov|slid|turn|swing|shift|sweep|track|swivel|drift)(?:e|es|s|ing)? (?:the |your )(?:camera|shot|frame|view|lens)(?: \w+ly)? (?:over )?{_SIDE}right\b|{_LENS}{_HOW}(?:向|往|朝|从左(?:边)?(?:向|往|到|移到)|移到|转到|转向|摇向|摇到|平移到|移向)?右|右摇镜|向右(?:平移|摇镜|摇移|横移)|{_CAM_JA}右|右に(?:ゆっくり)?(?:パン|カメラ)|右へ(?:ゆっくり)?(?:パン|カメラ)|{_CAM_KO}오른|오른쪽으로 (?:천천히 |빠르게 )?(?:패닝|팬|카메라)",
    "tilt_up": rf"(?:camera|shot|frame|lens|view) (?:\w+ly )?(?:tilt|mov|go|look|pan|ris|lift|crane|swing|drift|point|glid)(?:s|es|e|ing)?(?: \w+ly)? up(?:ward|wards)?|tilt(?:s|ing)? (?:\w+ly )?(?:{_YOUR}(?:camera|shot|frame|view|lens) )?(?:\w+ly )?up(?:ward|wards)?|(?:pan|crane)(?:s|ning|ing)? (?:\w+ly )?(?:{_YOUR}(?:camera|shot|view) )?(?:\w+ly )?up(?:ward|wards)?|(?:mov|swing|point|rais|lift|angl|aim)(?:e|es|s|ing)? {_YOUR}(?:camera|shot|view|lens)(?: \w+ly)?(?: up(?:ward|wards)?|(?=$|[ ,]))|camera up\b|{_LENS}{_HOW}(?:向|往|朝|从下(?:往|到|向))?上|{_LENS}{_HOW}(?:上移|上摇|上抬|抬高|抬起|升高|上升|仰)|上摇镜|仰拍|{_CAM_JA}上|ティルトアップ|チルトアップ|{_CAM_KO}(?:위|올)|틸트 ?업",
    "tilt_down": rf"(?:camera|shot|frame|lens|view) (?:\w+ly )?(?:tilt|mov|go|look|pan|lower|drop|sink|crane|swing|drift|point|glid)(?:s|es|e|ing)?(?: \w+ly)? down(?:ward|wards)?|tilt(?:s|ing)? (?:\w+ly )?(?:{_YOUR}(?:camera|shot|frame|view|lens) )?(?:\w+ly )?down(?:ward|wards)?|(?:pan|crane)(?:s|ning|ing)? (?:\w+ly )?(?:{_YOUR}(?:camera|shot|view) )?(?:\w+ly )?down(?:ward|wards)?|(?:mov|swing|point|lower|drop|angl|aim)(?:e|es|s|ing|ping)? {_YOUR}(?:camera|shot|view|lens)(?: \w+ly)?(?: down(?:ward|wards)?|(?=$|[ ,]))|camera down\b|{_LENS}{_HOW}(?:向|往|朝|从上(?:往|到|向))?下(?!来)|{_LENS}{_HOW}(?:下移|下摇|下压|压低|降低|下降|俯)|下摇镜|俯拍|{_CAM_JA}下|ティルトダウン|チルトダウン|{_CAM_KO}(?:아래|내)|틸트 ?다운",
    "shake": rf"(?:camera|screen|shot|frame|picture|image)(?: \w+ly)? (?:shak|jolt|jitter|wobbl|quak|rumbl|vibrat|trembl|judder)|shak(?:e|es|ing|y|ey) (?:the |your )?(?:camera|cam\b|shot|screen|frame|picture|image)|(?:wobbl|jiggl|jolt|rattl|rumbl|jostl)(?:e|es|ing|y|s)? {_YOUR}(?:camera|cam\b|shot|screen|frame|picture)|hand[- ]?held|(?:picture|image|shot|camera|screen|frame) (?:\w+ )?(?:rattl|shudder|trembl|wobbl|vibrat)|earthquake|jitter(?:y|ing)? (?:camera|shot)|shak(?:e|y) ?cam|camera[- ]shake|screen[- ]shake|{_LENS}{_HOW}(?:抖|晃|震|摇晃|颤|振)|(?:抖|晃|震|摇晃)(?:动|一?下|一晃|一抖)?(?:镜头|画面)|手持|地震|{_CAM_JA}(?:揺|ブレ|ぶれ|シェイク|ガタガタ|震)|手ブレ|手ぶれ|揺れる(?:カメラ|画面)|{_CAM_KO}(?:흔|떨)|핸드헬드",
    "static": rf"(?:static|still|fixed|locked(?:-off)?|steady|motionless) (?:camera|shot|frame|cam)|(?:camera|shot|frame)(?: \w+)? (?:(?:is|stays|stay|remains|holds|stops|be) )?(?:\w+ly )?(?:still|static|fixed|steady|put|moving|where it is)|(?:keep|hold|lock|fix|freeze|leave) (?:the |that )?(?:camera|shot|frame)(?: (?:still|steady|static|fixed|there|off|down|alone|as it is))?|stop (?:the )?(?:camera|zoom|pan)\w*|{_LENS}{_HOW}(?:保持)?(?:静止|固定|不动|不变|停|别动|定住|稳)|固定(?:镜头|机位)|{_CAM_JA}(?:固定|止め|動かさ|静止)|{_CAM_KO}(?:고정|멈|가만)",
}  # fmt: skip

#: (degree 0–1, patterns): how much of an emotion.
DEGREES: tuple[tuple[float, str], ...] = (
    (0.15, r"barely|faint|(?:a |the )?(?:hint|trace|tinge|flicker|suggestion|whisper|ghost|glimmer|smidge\w*|shade|shred|speck) of|ever so|hardly|(?:a |the )?(?:tiniest|slightest|faintest|smallest)(?: bit| touch| hint)?|a tiny bit|just a (?:tiny )?(?:bit|touch|hint|little)|imperceptib|隐约|一丝丝?|微不可察|若有若无|一点点|几分|ほのかに|ほんの(?:少し|り)|かすかに|わずかに|희미하게|아주 (?:조금|살짝|약간)|미세하게|은은"),
    (0.25, r"slight|a (?:little|bit|touch|tad|smidge\w*|dash|pinch)|(?:a )?(?:wee|tiny|teeny|small) (?:bit)?|subtl|mild|gentl|soft(?:ly)?\b|kind of|sort of|light(?:ly)?\b|small|half[- ]?(?:hearted|smile)|not (?:too|so|overly|that|very) (?:much|strong|hard|big|wild|intense|loud)|don't overdo|do not overdo|nothing too|(?:a (?:bit|little) )?less\b|tone (?:it |that )?down|dial (?:it |that )?(?:down|back)|tone (?:it )?down|restrained|understated|low[- ]key|muted|vague|discreet|稍微|稍稍|稍|略微|略略|略带|略有|略显|略|有点儿?|有一点|有些|一点儿?|轻轻|轻微|微微|微带|淡淡|浅浅|含蓄|些许|不要太|别太|不用太|没那么|收敛|克制|小小|少し|ちょっと|軽く|やや|若干|控えめ|ちょい|微かに|うっすら|조금|약간|살짝|좀 |가볍게|조금만|살며시|너무 .{0,6}(?:말고|않게)|은근"),
    (0.45, r"somewhat|a (?:bit|little|touch|tad) more|moderate|fairly|rather|quite|pretty\b|reasonabl|比较|较为|还算|适度|适当|挺|かなり|わりと|結構|けっこう|そこそこ|꽤|제법|어느 정도|적당히"),
    (0.8, r"very|really|so\b|strong|deepl|truly|genuine|great(?:ly)?\b|visibl|clear(?:ly)?\b|much|lots? of|super\b|big\b|huge\b|serious(?:ly)? (?=\w)|awful(?:ly)?\b|terribly|real\b|more and more|more\b|heavily|highly|plenty|obvious|intens(?:e|ely)|damn|bloody|proper(?:ly)?\b|thorough|ever more|很|非常|十分|特别|真的|相当|好(?=[开高生难伤害激兴惊恶怕紧气疑困讨])|格外|颇|颇为|尤其|分外|深深|真是?|太(?!阳|平)|更|越来越|明显|とても|すごく|大変|本当に|めっちゃ|すごい|もっと|非常に|たいへん|だいぶ|매우|아주|정말|무척|많이|굉장히|진짜|몹시|더 |너무|되게|상당히"),
    (0.95, r"extreme|incredib|utter|absolut|total|complete(?:ly)?\b|insane|wild|overwhelm|as .* as (?:possible|you can|can be)|to death|beyond (?:words|belief)|unbelievabl|out of (?:your|my|her|his) (?:mind|wits|skin)|like crazy|like mad|as hell|af\b|maxim|max\b|full[- ]?(?:on|blown|blast)|through the roof|beyond|profound|deadly|hugely|enormous|immense|tremendous|all[- ]out|the most|crank (?:it )?up|to the max|100 ?%|bursting|violent|uncontrollab|(?:very|so|really) (?:very|so|really)|极其|极度|极为|极了?|超级|超(?!市|过)|无比|完全|最大|极端|万分|至极|透顶|透了|到了?极点|到极致|得不行|得不得了|得要命|要命|要死|死了|坏了|疯了|炸了|爆了?|到爆|得很(?=$|，)|欲绝|不已|得发抖|到飞起|至深|非常非常|特别特别|很很|彻底|简直|巨(?=[开高兴生难])|極めて|ものすごく|極度|この上なく|最高に|死ぬほど|超(?!え)|猛烈に|すさまじ|めちゃくちゃ|とことん|心から|극도로|엄청|완전|최대한|극심|미칠 듯|죽을 만큼|폭발|지극히|너무너무|대단히"),
)  # fmt: skip

#: (speed 0–1, patterns): how fast a camera moves.
PACES: tuple[tuple[float, str], ...] = (
    (0.2, r"very slow|extremely slow|ever so slow|super slow|really slow|painfully slow|非常慢|极慢|非常缓慢|特别慢|很慢|超慢|とてもゆっくり|すごくゆっくり|아주 천천히|매우 천천히"),
    (0.25, r"slow|gentl|gradual|eas(?:e|ing|y)\b|soft|subtl|slight|drift|creep|inch(?:es|ing)?\b|glid|crawl|leisur|smooth|unhurried|bit by bit|little by little|calmly|缓慢|慢慢|缓缓|慢|一点点|逐渐|渐渐|一点一点|轻轻|柔和|平缓|徐々に|ゆっくり|そっと|ゆるやか|じわじわ|少しずつ|천천히|서서히|느리게|부드럽게|조금씩|살살"),
    (0.85, r"fast|quick|rapid|sudden|snap|whip|sharp|crash|swift|abrupt|dramatic fast|punch|instant|speed|brisk|hurr|rush|in a flash|zip|快速|迅速|飞快|快|突然|猛|急|瞬间|一下子|立刻拉|素早|急に|すばやく|さっと|ぱっと|速く|早く|一気に|サッと|パッと|ぐっと|빠르게|빨리|급히|갑자기|확|휙|재빨리|신속"),
)  # fmt: skip

NEGATIONS = (
    r"don't|do not|does not|doesn't|dont|never\b|without|avoid|stop|quit(?:s|ting)?\b|no (?!longer than|way|idea|clue|emotion|expression|feeling|one|doubt)|not\b|isn't|aren't|wasn't|shouldn't|mustn't|can't be|won't|cannot be|cease|no longer|instead of|rather than|anything but|far from|nor\b|neither|(?:drop|lose|ditch|skip|cut|wipe|kill|leave out|enough (?:with|of)) (?:out |off )?(?:the|that|your)|hid(?:e|es|ing) (?:the|your|her|his|any)|(?:suppress|conceal|mask|bottle up|swallow|hold(?:ing)? in|bit(?:e|ing) back)"
    r"|不是|没必要|不必|不要|不许|不准|不可以|不可(?!思议|理喻|开)|别再|(?<![特告分区级性个差识辨派道离])别(?!人|的|致|墅|处|扭|忘)|不用|不需要|不能|停止|停下|没有|没(?=[生害难高开紧惊])|避免|不再|不太|不怎么|不那么|并不|并非|毫不|毫无|而不是|绝不|禁止|收起|去掉|取消|无需|勿|甭|莫(?!名)|不(?=[点摇眨闭笑皱哭生害难激悲兴惊恐叹耸看拉推])|隐藏|掩饰|压住|忍住(?!不)"
    r"|ないで|ない(?:よう|で|ように)|なく(?:て|、|，|$)|ません|せずに?|ずに|やめ|なし|ず に|じゃな|ではな|止めて|禁止|하지 ?마|지 ?마|지 ?말|없이|말고|그만|않|아니|안 |금지|멈추|멈춰"
)  # fmt: skip

#: Lines that ask for nothing, though a word in them might.
NOTHING = (
    "kinds? of|what kind|welcome (?:back|everyone|everybody|all|to)|of course|across|down(?:load|town)|(?:the|our|this|new|more|my) content|go(?:ing)? mad for|cross(?:ing)? the|mad about|crazy about"
    "|(?:i'm |we're |so )?sorry (?:for the|about the)|happy (?:birthday|new year|hour|ending|christmas|holidays)|merry christmas|good (?:luck|night)|(?:glad|happy|pleased) to (?:meet|see|have|be|welcome|announce|help)"
    "|不好意思|没关系|有意思|意思"
)

#: What is typed in haste most often: these are tried for a word that nobody knows.
_SPELLED = [
    "angry",
    "anger",
    "annoyed",
    "irritated",
    "furious",
    "livid",
    "happy",
    "happily",
    "happiness",
    "joyful",
    "cheerful",
    "smile",
    "smiling",
    "smiles",
    "delighted",
    "excited",
    "exciting",
    "excitement",
    "thrilled",
    "enthusiastic",
    "energetic",
    "confused",
    "confusing",
    "puzzled",
    "bewildered",
    "baffled",
    "sad",
    "sadness",
    "sadly",
    "depressed",
    "disappointed",
    "miserable",
    "heartbroken",
    "surprised",
    "surprise",
    "surprising",
    "shocked",
    "amazed",
    "astonished",
    "stunned",
    "startled",
    "scared",
    "afraid",
    "frightened",
    "terrified",
    "terrifying",
    "nervous",
    "anxious",
    "worried",
    "horrified",
    "disgusted",
    "disgusting",
    "disgust",
    "contempt",
    "contemptuous",
    "disdain",
    "scornful",
    "smug",
    "arrogant",
    "calm",
    "calmly",
    "relaxed",
    "peaceful",
    "serious",
    "neutral",
    "nodding",
    "shake",
    "shaking",
    "tilt",
    "turn",
    "look",
    "looking",
    "lean",
    "leaning",
    "shrug",
    "shrugging",
    "raise",
    "raising",
    "eyebrow",
    "eyebrows",
    "frown",
    "frowning",
    "wink",
    "winking",
    "close",
    "closing",
    "laugh",
    "laughing",
    "sigh",
    "sighing",
    "wave",
    "waving",
    "point",
    "pointing",
    "clapping",
    "applaud",
    "camera",
    "zoom",
    "zooming",
    "slowly",
    "slightly",
    "quickly",
    "very",
    "really",
    "extremely",
    "little",
    "left",
    "right",
    "towards",
    "finally",
    "second",
    "seconds",
    "after",
    "before",
    "beginning",
    "middle",
    "ending",
    "goodbye",
    "head",
    "eyes",
    "shoulders",
    "extremely",
    "absolutely",
    "incredibly",
    "embarrassed",
]


def respell(word: str) -> str | None:
    """The known word that `word` was meant to be, a slip or two away (two in eight letters or more); None where none is near."""
    near = [(distance, known) for known in _SPELLED if (distance := slips(word, known)) <= (2 if len(word) >= 8 else 1)]
    return min(near)[1] if near else None


def slips(a: str, b: str) -> int:
    """Letters left out, put in, mistaken or swapped (optimal string alignment distance); 3 stands for 3 and more."""
    if abs(len(a) - len(b)) > 2 or a[0] != b[0]:
        return 3
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(3, last[-1])
