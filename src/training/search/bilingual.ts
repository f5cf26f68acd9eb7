// Owns usual labels of relations that mean the same in English and Chinese.
// Refuses to know names, sentences and how pairs are drawn.

const pairs = (text: string): readonly (readonly [en: string, zh: string])[] =>
  text
    .trim()
    .split(/\s*,\s*/)
    .map((pair) => {
      const [en, zh] = pair.split('=');
      return [en, zh] as const;
    });

/** None of them is held out by src/training/grounded/labels.ts. */
export const SAME_LABELS = pairs(`
  born in=出生于, died in=去世于, located in=位于, directed by=导演, written by=作者, author=作者, director=导演, screenwriter=编剧, starred actors=主演, release year=上映年份, language=语言, genre=类型, capital=首都,
  population=人口, occupation=职业, profession=职业, nationality=国籍, spouse=配偶, married to=配偶, father=父亲, mother=母亲, teacher of=学生, student of=老师, founder=创始人, founded by=创始人, currency=货币, area=面积, alias=别名,
  field of work=领域, publisher=出版社, inventor of=发明了, invented by=发明者, discovered by=发现者, member of=属于, members=成员, part of=属于, has part=组成部分, colour=颜色, price=价格, height=身高, weight=体重, rating=评分, tags=标签, has tags=标签,
  borders=邻国, friend of=朋友, religion=宗教, official language=官方语言, known for=代表作, awards=奖项, employer=雇主, employed by=任职于, works for=任职于, lives in=居住在, educated at=毕业于, graduated from=毕业于, studied at=就读于, built in=建于,
  year founded=创办于, used for=用于, belongs to=属于, composer=作曲者, composed by=作曲者, performed by=演唱者, sung by=演唱者, producer=制片人, produced by=制片人, cinematographer=摄影师, native name=原名, pseudonym=笔名, place of birth=出生地, birthplace=出生地,
  party=政党, education=学历, degree=学位, doctoral advisor=导师, chairman=主席, president=总统, mayor=市长, husband of=妻子, wife of=丈夫, sons=儿子, daughters=女儿, children=孩子, parents=父母, grandfather of=孙子, uncle of=侄子, colleague of=同事, rival of=对手,
  enemy of=敌人, ally of=盟友, successor of=前任, succeeded by=继任者, ancestor of=后裔, coach of=队员, coached by=教练, captain of=球队, position=位置, model=型号, engine=发动机, fuel=燃料, length=长度, width=宽度, depth=深度, speed=速度, temperature=温度,
  density=密度, hardness=硬度, boiling point=沸点, melting point=熔点, chemical formula=化学式, atomic number=原子序数, voltage=电压, frequency=频率, wavelength=波长, elevation=海拔, longitude=经度, latitude=纬度, climate=气候, soil=土壤, river=河流, lake=湖泊,
  harbour=港口, airport=机场, postcode=邮编, calling code=区号, time zone=时区, number of pages=页数, subject=主题, court=法院, symptom=症状, symptoms=症状, cause of death=死因, treatment=疗法, dosage=剂量, side effect=副作用, gene=基因, protein=蛋白质, enzyme=酶, organ=器官,
  family=科, genus=属, species=种, habitat=栖息地, lifespan=寿命, revenue=营业额, profit=利润, debt=负债, number of employees=员工人数, subsidiary of=母公司, headquartered in=总部, customers=客户, partners=合作伙伴, opponent=竞争对手, website=网址, internet domain=域名, protocol=协议,
  port=端口, programming language=编程语言, operating system=操作系统, licence=许可证, file format=文件格式, default value=默认值, maximum value=最大值, unit=单位, symbol=符号, abbreviation=缩写, synonyms=同义词, has example=例子, source=来源, date of birth=出生日期, date of death=去世日期,
  place of death=去世地, opening date=开始时间, closing date=结束时间, winner=冠军, won by=冠军, channel=频道, first aired on=首播日期, record label=唱片公司, albums=专辑, songs=歌曲, instrument=乐器, voice type=音域, adapted from=改编自, moved to=移居到, visited=到访过, invented=发明了,
  discovered=发现了, founded=创立了, wrote=写了, designed=设计了, built=建造了, acquired by=收购方, named after=命名为, grown in=生长于, published in=出版于, filmed in=拍摄于, actors=演员, writers=编剧, country=国家, city=城市, age=年龄, title=标题, keyword=关键词, editor=编辑, architect=建筑师,
  designed by=设计者, developer=开发者, owned by=所有者, manufacturer=制造商, material=材料, made of=材料, ingredients=成分, function=功能, skills=技能, hobbies=爱好, books=书籍, films=电影, products=产品, tools=工具, services=服务, branches=分公司
`);
