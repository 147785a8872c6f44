"""The embedded director's words, a table a language family.

A pattern of Latin letters matches from a word's edge (``smil`` finds ``smiling``) and is a regular expression; any other
stands anywhere. The longest match at a place wins, so ``close your eyes`` beats ``eyes`` and ``摇头`` beats ``头``.
"""

from __future__ import annotations

#: emotion → ((usual intensity, patterns), …)
EMOTIONS: dict[str, tuple[tuple[float, str], ...]] = {
    "calm": (
        (0.6, "calm|relax|seren|peaceful|composed|neutral(?:ly)?|tranquil|sooth|at ease|collected|poised|unbothered|chill|zen\\b|mellow"),
        (0.5, "serious|professional|deadpan|straight[- ]face|poker[- ]face|stoic|matter[- ]of[- ]fact|expressionless|patient(?:ly)?\\b|steady|level[- ]headed"),
        (0.6, "平静|冷静|镇定|沉着|放松|安静|从容|淡定|平和|中性|落ち着|穏やか|冷静に|リラックス|차분|침착|평온|편안"),
        (0.5, "严肃|正经|认真|专业|面无表情|真面目|진지|무표정"),
    ),
    "joy": (
        (0.95, "overjoyed|elated|radiant|over the moon|jubilant|狂喜|欣喜若狂|喜出望外|天にも昇|on cloud nine|over the moon"),
        (0.85, "beam(?:s|ing)?\\b|delight|big smile|broad smile|huge smile|ear to ear|widely smil"),
        (0.7, "joy|happ(?:y|ier|iest|ily|iness)|grin|glad|merr(?:y|ily)|jolly|laughing with joy|高兴|开心|快乐|喜悦|愉快|欢乐|欢喜|一笑|兴高采烈|喜气洋洋|眉开眼笑|乐呵呵|笑嘻嘻|ご機嫌|うきうき|방긋|싱글벙글|嬉し|うれし|楽し|喜ん|幸せ|기쁜|기쁘|행복|즐거|신나게 웃"),
        (0.6, "cheer|smil|pleased|upbeat|amus|playful|proud|grateful|sunny|bright(?:ly)?\\b|joke|jok(?:es|ing)\\b|好心情|笑容|微笑|笑眯眯|笑着|带笑|含笑|笑顔|にこ|ほほえ|微笑ん|미소|웃는|웃으며|밝게"),
        (0.4, "warm|friendl|kind(?:ly|ness)?\\b|welcom|content(?:ed|edly)?\\b|affection|loving|tender|inviting|pleasant|温暖|亲切|友好|和蔼|热情友好|温柔|欣慰|満足|優し|親しみ|따뜻|친절|다정"),
        (0.3, "confiden|self-assured|自信|자신감"),
    ),
    "excitement": (
        (0.95, "ecstatic|wild(?:ly)? excit|hyped|pumped|psyched|electrif|超级兴奋|兴奋不已|热血沸腾|手舞足蹈|テンション"),
        (0.85, "thrill|exhilarat|fired up|can(?:'t|not) wait|stoked|激动|亢奋|热血"),
        (0.75, "excit|enthusias|be(?:ing)? exited|energe|passionate|eager|lively|animated|zest|hype\\b|pep\\b|bubbly|兴奋|热情|充满活力|激情|精力充沛|活力|興奮|わくわく|ワクワク|元気|熱意|신나|신난|흥분|열정|들뜬|활기"),
    ),
    "confusion": (
        (0.8, "bewilder|perplex|baffl|completely lost|一头雾水|茫然|头が真っ白|頭が真っ白|何が何だか|摸不着头脑|丈二和尚|영문을|不知所措"),
        (0.65, "confus|puzzl|unsure|uncertain|doubt|question(?:ing(?:ly)?|ingly)|quizzical|hesita|don't (?:understand|get it)|can't understand|skeptic|sceptic|scratch(?:es|ing)? (?:your|her|his|the) head|lost\\b|unclear|wonder(?:s|ing)?\\b|困惑|疑惑|迷茫|迷惑|不解|怀疑|犹豫|纳闷|戸惑|困惑し|迷って|混乱|当惑|혼란|당황|어리둥절|의아|모르겠다는|갸우뚱|헷갈"),
    ),
    "sadness": (
        (0.95, "heartbroken|devastat|grief|griev|inconsolable|悲痛欲绝|心碎|痛不欲生"),
        (0.85, "mourn|tearful|tears?\\b|cry(?:ing)?\\b|weep|sob|miserabl|悲痛|痛苦|哭|流泪|しょんぼり|垂头丧气|愁眉苦脸|시무룩|풀이 죽|泣|号泣|울"),
        (0.7, "sad|sorrow|unhapp|depress|deject|gloom|hurt\\b|lonel|悲伤|伤心|难过|忧伤|悲哀|哀伤|悲し|哀し|寂し|슬픈|슬프|슬픔|슬퍼|우울|외로"),
        (0.5, "melanchol|disappoint|down(?:cast|hearted)|regret|somber|sombre|wistful|blue\\b|upset|sympath|忧郁|失望|沮丧|遗憾|惋惜|失落|低落|委屈|がっかり|残念|憂鬱|落ち込|실망|아쉬"),
    ),
    "surprise": (
        (0.9, "astonish|shock|stun|flabbergast|jaw[- ]drop|dumbfound|震惊|大吃一惊|目瞪口呆|惊呆|瞠目结舌|눈이 휘둥그레"),
        (0.75, "surpris|amaz|startl|awe|disbelief|can't believe|wow\\b|astound|speechless|taken aback|惊讶|吃惊|惊奇|诧异|意外|惊喜|惊叹|驚|びっくり|意外そう|놀란|놀라|깜짝"),
    ),
    "anger": (
        (0.95, "furious|enrag|livid|fuming|rage\\b|raging|irate|outrag|seeth|暴怒|狂怒|大怒|怒不可遏|火冒三丈|咬牙切齿|腹が立|頭に来|열받|勃然大怒|怒火|激怒|激しく怒|격노|분노"),
        (0.75, "ang(?:er|ry|rily|rier)|mad\\b|pissed|hostile|aggressi|indignant|wrath|愤怒|生气|恼火|愤慨|发火|恼怒|气愤|怒って|怒り|怒る|怒っ|怒|腹を立て|화난|화가|화를|화내"),
        (0.4, "annoy|irritat|frustrat|stern|cross\\b|grump|impatien|displeas|irked|烦躁|不耐烦|不满|恼|严厉|イライラ|苛立|不機嫌|짜증|언짢"),
    ),
    "fear": (
        (0.95, "terrif|petrif|panic|horrif|scared to death|terror|恐慌|惊恐|魂飞魄散|吓坏|恐怖に"),
        (0.75, "afraid|scared|fear(?!less)|fright|dread|alarmed|spook|害怕|恐惧|恐怖|畏惧|惧怕|怕|怖|恐れ|怯え|무서|두려|공포|겁"),
        (0.45, "nervous|anxious|anxiety|worr(?:y|ied|ies)|uneas|tense|timid|apprehensi|concerned|stressed|紧张|焦虑|担心|不安|七上八下|慌|提心吊胆|心惊胆战|ビクビク|びくびく|떨면서|벌벌|忧虑|胆怯|心配|緊張|불안|걱정|긴장|초조"),
    ),
    "disgust": (
        (0.9, "revolt(?:ed|ing)|repuls|nauseat|sicken|作呕|恶心至极|腐った|反吐"),
        (0.75, "disgust|gross(?:ed)?\\b|yuck|eww|distaste|repell|appall|厌恶|恶心|嫌弃|反感|讨厌|嫌悪|気持ち悪|うんざり|역겨|혐오|썩은 냄새|토할|질색"),
    ),
    "contempt": (
        (0.75, "contempt|scorn|disdain|sneer|despis|derisi|轻蔑|鄙视|皮笑肉不笑|嗤之以鼻|嗤笑|鼻で笑|小馬鹿|코웃음|look(?:s|ing)? down (?:your|her|his|their|the) nose|roll(?:s|ing)? (?:your|her|his|their) eyes|蔑视|鄙夷|看不起|軽蔑|見下|さげす|경멸|멸시|업신"),
        (0.55, "smug|mock|condescend|superior(?:ity)?\\b|arrogan|haught|dismissi|snide|smirk|snobb|cocky|sarcas|不屑|傲慢|嘲讽|讥讽|冷笑|高傲|得意|傲慢な|嘲笑|바보 취급|거만|비웃|오만"),
    ),
}  # fmt: skip

_YOUR = "(?:(?:the|your|her|his|their|my|its) )?"
_SIDE = "(?:(?:to|toward|towards|over) )?(?:(?:the|your|her|his|their) )?(?:own )?"
_GLANCE = "(?:look|glanc|gaz|peer|peek|star)(?:e|es|s|ing|ed)?"
_TURN = f"(?:turn|rotat|swivel|fac)(?:e|es|s|ing|ed)? {_YOUR}(?:(?:head|face|gaze) )?"

ACTIONS: dict[str, str] = {
    "nod": f"nod|(?:mov|bob)(?:e|es|ing|s|bing) {_YOUR}head up and down|点头|點頭|点点头|点了点头|点一下头|颔首|yes without words|say(?:s|ing)? yes with|うなず|頷|首を縦|고개를 끄덕|끄덕",
    "shake": f"shak(?:e|es|ing) {_YOUR}head|head ?shak|say(?:s|ing)? no with|mov(?:e|es|ing) {_YOUR}head (?:from )?side to side|摇头|搖頭|摇摇头|摇了摇头|首を横|首を振|かぶりを振|고개를 젓|고개를 저|고개를 흔들|도리",
    "tilt": f"(?:tilt|cock|inclin|tip)(?:e|es|s|ing)? {_YOUR}head|head tilt|tilted head|歪头|歪着头|歪一下头|侧头|偏头|首をかしげ|首を傾|小首|고개를 갸우뚱|고개를 기울|갸웃",
    "turn_left": f"{_TURN}{_SIDE}left|向左转|左转|转向左|往左转|头向左|朝左转|左を向|左に向|左へ向|왼쪽으로 (?:고개를 )?돌|고개를 왼쪽으로 돌",
    "turn_right": f"{_TURN}{_SIDE}right\\b|向右转|右转|转向右|往右转|头向右|朝右转|右を向|右に向|右へ向|오른쪽으로 (?:고개를 )?돌|고개를 오른쪽으로 돌",
    "look_left": f"{_GLANCE} {_SIDE}left|eyes {_SIDE}left|eyes on [\\w ]{0,24}?left|向左看|看左|看向左|往左看|左看|朝左看|左边看|左を見|左に目|왼쪽을 (?:봐|보|쳐다)|왼쪽으로 (?:눈|시선)",
    "look_right": f"{_GLANCE} {_SIDE}right\\b|eyes {_SIDE}right\\b|eyes on [\\w ]{0,24}?right\\b|向右看|看右|看向右|往右看|右看|朝右看|右边看|右を見|右に目|오른쪽을 (?:봐|보|쳐다)|오른쪽으로 (?:눈|시선)",
    "look_up": f"{_GLANCE} (?:up(?:ward|wards)?|(?:at|to|toward|towards) the (?:ceiling|sky))\\b|rais(?:e|es|ing) {_YOUR}gaze|抬头|向上看|往上看|仰望|看天|朝上看|仰视|見上げ|上を見|上を向|위를 (?:봐|보|쳐다)|올려다",
    "look_down": f"{_GLANCE} (?:down(?:ward|wards)?|(?:at|to|toward|towards) the (?:floor|ground|desk|table)|at (?:your|her|his|their|the) (?:notes|papers?|script|phone|feet|shoes))\\b|lower(?:s|ing)? {_YOUR}(?:gaze|eyes|head)|低头|低下头|向下看|往下看|朝下看|俯视|うつむ|下を見|下を向|見下ろ|아래를 (?:봐|보|쳐다)|내려다|고개를 숙",
    "lean_in": "lean(?:s|ing)? (?:in|forward|closer|toward|towards|into)|(?:mov|com|get)(?:e|es|ing|ting|s)? (?:in )?closer(?! shot)|前倾|身体前倾|凑近|靠近|凑到|凑上|往前靠|向前靠|探身|身を乗り出|前のめり|近づ(?:く|いて)|몸을 앞으로|앞으로 (?:기울|숙)|다가",
    "lean_back": "lean(?:s|ing)? (?:back|away|backward)|sit(?:s|ting)? back|后仰|身体后仰|往后靠|向后靠|后倾|のけぞ|身を引|後ろに(?:もたれ|反)|몸을 뒤로|뒤로 (?:젖|기대|물러)",
    "shrug": f"shrug|shoulders up|rais(?:e|es|ing) {_YOUR}shoulders|耸肩|聳肩|耸耸肩|耸了耸肩|肩をすくめ|어깨를 으쓱|으쓱",
    "raise_brows": f"(?:rais|lift|arch|wiggl)(?:e|es|ing|s|ed)? {_YOUR}(?:(?:one|an|both|two) )?(?:eye)?brows?|(?:eye)?brows? (?:up|raised)|raised (?:eye)?brow|挑眉|扬眉|抬眉|挑了挑眉|眉毛上扬|扬起眉|眉を上げ|眉をつり上げ|눈썹을 (?:올|치켜|들)",
    "frown": f"frown|scowl|(?:furrow|knit)(?:s|ting|ing)? {_YOUR}(?:eye)?brows?|furrowed (?:eye)?brow|皱眉|皺眉|皱着眉|皱起眉|眉头紧锁|蹙眉|眉をひそめ|眉間|しかめ|눈살을 찌푸|눈썹을 찌푸|찌푸|찡그",
    "wink": "wink|眨一只眼|单眼眨|抛媚眼|使眼色|眨眼|眨一下眼|ウインク|ウィンク|片目|윙크|한쪽 눈",
    "close_eyes": f"(?:clos|shut)(?:e|es|ing|s|ting)? {_YOUR}(?:both )?eyes|eyes (?:closed|shut)|闭眼|闭上眼|閉眼|闭上双眼|合眼|目を閉じ|目をつぶ|눈을 감",
    "laugh": "laugh|chuckl|giggl|crack(?:s|ing)? up|burst(?:s|ing)? out laughing|大笑|哈哈|笑出声|笑起来|前仰后合|捧腹|哄笑|发笑|大声笑|轻笑|笑う|笑って|大笑い|爆笑|くすくす|(?:크게|소리 ?내어) 웃|웃음을 터뜨|폭소|웃어",
    "sigh": "sigh|exhal(?:e|es|ing) (?:deeply|heavily|slowly)|deep breath|叹气|嘆氣|叹息|叹了口气|叹一口气|长叹|ため息|溜息|嘆息|한숨",
    "wave": f"wav(?:e|es|ing)(?: {_YOUR}hand| (?:hello|goodbye|at))?\\b|挥手|揮手|招手|挥挥手|손 ?(?:을|좀)? ?흔|手を振|손을 흔|손 흔",
    "raise_hand": f"rais(?:e|es|ing) {_YOUR}(?:hand|arm)|举手|舉手|抬手|手を(?:挙|上)げ|손을 들",
    "point": "point(?:s|ing)? (?:at|to|toward|towards|out|up|down|left|right|with)|指向|指着|指一下|指一指|指指|指下|用手指|指さ|指を指|가리키|가리켜",
    "clap": "clap|applau|鼓掌|鼓个掌|鼓鼓掌|鼓一下掌|拍手|박수|손뼉",
}  # fmt: skip

_CAMERA = "(?:(?:the )?(?:camera|shot|frame|view|lens) )?(?:(?:slow|quick|fast|gentl|steadi|gradual|smooth)\\w* )?"
CAMERA_MOVES: dict[str, str] = {
    "zoom_in": f"{_CAMERA}zoo?m(?:s|ing)?(?: \\w+ly)? in|(?:camera )?(?:push|doll(?:y|ies)|mov)(?:s|es|e|ing)?(?: \\w+ly)? in\\b|close[- ]?up|closer shot|tighter (?:shot|frame)|camera (?:\\w+ )?(?:closer|nearer)|(?:push|punch)(?:es|ing)? in|zoom (?!out|back)|zoom$|推近|拉近|镜头(?:慢慢|缓缓|缓慢|快速|逐渐)?推|推镜|特写|放大|靠近镜头|ズームイン|寄って|寄る|アップ|줌 ?인|확대|클로즈업",
    "zoom_out": f"{_CAMERA}(?:zoom(?:s|ing)?|doll(?:y|ies)|pull(?:s|ing)?)(?: \\w+ly)? (?:out|back|away)|pull(?:s|ing)? (?:(?:the|your) )?(?:camera|shot|frame) (?:out|back|away)|camera (?:\\w+ )?(?:back|away)|wid(?:e|er) (?:shot|view|angle)|拉远|拉遠|镜头(?:慢慢|缓缓|缓慢|快速|逐渐)?(?:拉开|后退|拉远)|缩小|全景|ズームアウト|引いて|引きの|줌 ?아웃|축소",
    "pan_left": f"{_CAMERA}pan(?:s|ning)?(?: (?:the|your) (?:camera|shot|frame))?(?: across)?(?: \\w+ly)? {_SIDE}left|camera (?:mov|slid|go|turn|swing|drift)(?:e|es|s|ing)? (?:over )?{_SIDE}left|镜头(?:慢慢|缓缓|缓慢|快速)?(?:向|往|朝)?左|カメラ(?:を|が|は)?左|左にパン|左へパン|카메라(?:를|가)? ?왼쪽|왼쪽으로 패닝",
    "pan_right": f"{_CAMERA}pan(?:s|ning)?(?: (?:the|your) (?:camera|shot|frame))?(?: across)?(?: \\w+ly)? {_SIDE}right\\b|camera (?:mov|slid|go|turn|swing|drift)(?:e|es|s|ing)? (?:over )?{_SIDE}right\\b|镜头(?:慢慢|缓缓|缓慢|快速)?(?:向|往|朝)?右|カメラ(?:を|が|は)?右|右にパン|右へパン|카메라(?:를|가)? ?오른쪽|오른쪽으로 패닝",
    "tilt_up": f"camera (?:\\w+ly )?(?:tilt|mov|go|look|pan)(?:s|es|e|ing)?(?: \\w+ly)? up|tilt(?:s|ing)? (?:{_YOUR}camera )?up|pan(?:s|ning)? up|镜头(?:慢慢|缓缓|缓慢|快速)?(?:向|往|朝)?上|カメラ(?:を|が|は)?上|ティルトアップ|카메라(?:를|가)? ?위",
    "tilt_down": f"camera (?:\\w+ly )?(?:tilt|mov|go|look|pan)(?:s|es|e|ing)?(?: \\w+ly)? down|tilt(?:s|ing)? (?:{_YOUR}camera )?down|pan(?:s|ning)? down|镜头(?:慢慢|缓缓|缓慢|快速)?(?:向|往|朝)?下|カメラ(?:を|が|は)?下|ティルトダウン|카메라(?:를|가)? ?아래",
    "shake": f"(?:camera|screen|shot)(?: \\w+ly)? shak|shak(?:e|es|ing|y) (?:{_YOUR})?(?:camera|cam|shot|screen|frame)|hand[- ]?held|(?:picture|image|shot|camera|screen) (?:rattl|shudder|trembl|wobbl|vibrat)|earthquake|jitter(?:y|ing)? (?:camera|shot)|镜头(?:抖动|晃动|震动|摇晃)|画面(?:抖动|晃动|震动)|手持|カメラ(?:を|が)?(?:揺|ブレ|ぶれ)|手ブレ|手ぶれ|화면(?:을|이)? ?흔|카메라(?:를|가)? ?흔",
    "static": "(?:static|still|fixed|locked(?:-off)?|steady) (?:camera|shot|frame)|(?:camera|shot|frame) (?:(?:is|stays|remains|holds|stops) )?(?:still|static|fixed|steady|put|moving)|(?:keep|hold) (?:the )?(?:camera|shot) (?:still|steady|static|fixed|there)|stop (?:the )?(?:camera|zoom|pan)\\w*|镜头(?:静止|固定|不动|停)|固定镜头|カメラ(?:を|は)?(?:固定|止め)|카메라(?:를|는)? ?(?:고정|멈)",
}  # fmt: skip

#: (degree 0–1, patterns): how much of an emotion.
DEGREES: tuple[tuple[float, str], ...] = (
    (0.15, "barely|faint|hint of|trace of|隐约|一丝|ほのかに|희미하게"),
    (0.25, "slight|a (?:little|bit|touch|tad)|subtl|mild|gentl|soft(?:ly)?\\b|kind of|sort of|lightly|small|稍微|稍稍|略微|有点|一点|轻轻|微微|少し|ちょっと|軽く|やや|조금|약간|살짝"),
    (0.45, "somewhat|moderate|fairly|rather|quite|pretty\\b|比较|较为|かなり|꽤|제법"),
    (0.8, "very|really|so\\b|strong|deepl|truly|genuine|great(?:ly)?\\b|visibl|clear(?:ly)?\\b|很|非常|十分|特别|真的|相当|好\\b|とても|すごく|大変|매우|아주|정말|무척|많이"),
    (0.95, "extreme|incredib|utter|absolut|total|complete(?:ly)?\\b|insane|wild|intense|overwhelm|as .* as possible|极其|极度|极为|极|超级|无比|完全|最大|极端|極めて|ものすごく|極度|극도로|엄청|완전"),
)  # fmt: skip

#: (speed 0–1, patterns): how fast a camera moves.
PACES: tuple[tuple[float, str], ...] = (
    (0.2, "very slow|extremely slow|ever so slow|非常慢|极慢|非常缓慢|とてもゆっくり|아주 천천히"),
    (0.25, "slow|gentl|gradual|eas(?:e|ing|y)\\b|soft|subtl|slight|缓慢|慢慢|缓缓|慢|逐渐|渐渐|徐々に|ゆっくり|そっと|천천히|서서히"),
    (0.85, "fast|quick|rapid|sudden|snap|whip|sharp|crash|swift|abrupt|快速|迅速|快|突然|猛|急|素早|急に|すばやく|빠르게|빨리|급히|갑자기"),
)  # fmt: skip

NEGATIONS = (
    "don't|do not|does not|doesn't|dont|never|without|avoid|stop|quit|no (?!longer than)|not\\b|isn't|aren't|shouldn't|cease|no longer|less\\b|instead of|rather than"
    "|不是|没必要|不必|不要|不许|不准|别再|别|不用|不能|停止|没有|避免|不再|ないで|せず|やめ|なし|ず に|하지 ?마|지 ?마|없이|말고|그만|않"
)  # fmt: skip

#: Lines that ask for nothing, though a word in them might.
NOTHING = (
    "kinds? of|what kind|welcome (?:back|everyone|everybody|all|to)|of course|across|down(?:load|town)|(?:the|our|this|new|more|my) content|go(?:ing)? mad for|cross(?:ing)? the|mad about|crazy about"
    "|(?:i'm |we're |so )?sorry (?:for the|about the)|happy (?:birthday|new year|hour|ending|christmas|holidays)|merry christmas|good (?:luck|night)|(?:glad|happy|pleased) to (?:meet|see|have|be|welcome|announce|help)"
    "|不好意思|没关系|有意思|意思"
)

#: What is typed in haste most often: these are tried for a word that nobody knows.
_SPELLED = (
    "angry anger annoyed irritated furious livid happy happily happiness joyful cheerful smile smiling smiles delighted excited exciting "
    "excitement thrilled enthusiastic energetic confused confusing puzzled bewildered baffled sad sadness sadly depressed disappointed "
    "miserable heartbroken surprised surprise surprising shocked amazed astonished stunned startled scared afraid frightened terrified "
    "terrifying nervous anxious worried horrified disgusted disgusting disgust contempt contemptuous disdain scornful smug arrogant calm "
    "calmly relaxed peaceful serious neutral nodding shake shaking tilt turn look looking lean leaning shrug shrugging raise raising "
    "eyebrow eyebrows frown frowning wink winking close closing laugh laughing sigh sighing wave waving point pointing clapping "
    "applaud camera zoom zooming slowly slightly quickly very really extremely little left right towards finally second seconds after "
    "before beginning middle ending goodbye head eyes shoulders extremely absolutely incredibly embarrassed"
).split()


def respell(word: str) -> str | None:
    """The known word that `word` was meant to be, a slip or two away (two in eight letters or more); None where none is near."""
    near = [(distance, known) for known in _SPELLED if (distance := slips(word, known)) <= (2 if len(word) >= 8 else 1)]
    return min(near)[1] if near else None


def slips(a: str, b: str) -> int:
    """Letters left out, put in, mistaken or swapped (optimal string alignment distance); 3 stands for 3 and more."""
    if abs(len(a) - len(b)) > 2 or a[0] != b[0]:
        return 3
    before, last = [], list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(3, last[-1])
